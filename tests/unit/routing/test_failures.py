"""What becomes of an event where a processor or a backend fails."""

from __future__ import annotations

import logging
from uuid import uuid4

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.encoding import encode_json
from eventtracking_core.processors.redact import Redact


def an_error(kind=Exception):
    """Return an error of a class of its own: each kind of problem is logged once in a while."""
    return type(f"Error{uuid4().hex}", (kind,), {})("hunter2")


def failing(error, **attributes):
    def fail(*_):
        raise error

    for name, value in attributes.items():
        setattr(fail, name, value)
    return fail


class Failing:
    def __init__(self, error):
        self.error = error

    def send(self, event):
        raise self.error


def node(tracker, name):
    return next(node for node in tracker.stats()["tree"]["backends"] if node["name"] == name)


def test_a_failing_processor_is_skipped_counted_and_logged(memory, caplog):
    error = an_error()
    tracker = et.Tracker({"memory": memory}, processors=[failing(error), lambda e: e.update(b=1)])
    tracker.emit("name")

    assert memory.events[0]["b"] == 1
    root = tracker.stats()["tree"]
    assert [step["errors"] for step in root["processors"]] == [{"error": 1}, {}]
    assert root["dropped"] == {}
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "fail" in record.message
    assert type(error).__name__ in record.message
    assert "hunter2" not in caplog.text
    assert record.exc_info is None


def test_a_processor_that_says_so_fails_closed(memory):
    tracker = et.Tracker(
        {"memory": memory}, processors=[failing(an_error(), on_error="drop"), pytest.fail]
    )
    tracker.emit("name")

    assert memory.events == []
    root = tracker.stats()["tree"]
    assert root["dropped"] == {"processor_error": 1}
    assert [step["errors"] for step in root["processors"]] == [{"error": 1}, {}]


@pytest.mark.parametrize(("on_error", "arrived"), [("drop", 0), ("continue", 1), (None, 1)])
def test_a_configuration_says_whether_a_processor_fails_closed(on_error, arrived, tracker, memory):
    options = {} if on_error is None else {"on_error": on_error}
    node = {"type": "rename", "names": {"a": "b"}} | options
    tracker.configure({"processors": [node], "backends": {"memory": memory}})
    tracker.send({"id": "has no name", "context": {}, "data": {}})

    assert len(memory.events) == arrived


@pytest.mark.parametrize(("on_error", "arrived"), [("drop", 0), ("continue", 1), (None, 0)])
def test_filters_and_redactors_fail_closed_unless_told_otherwise(
    on_error, arrived, tracker, memory
):
    options = {} if on_error is None else {"on_error": on_error}
    node = {"type": "name_allowlist", "names": ["a"]} | options
    tracker.configure({"processors": [node], "backends": {"memory": memory}})
    tracker.send({"id": "1", "context": {}, "data": {}})

    assert len(memory.events) == arrived


def test_what_is_too_deep_for_a_redactor_is_cut_off(memory):
    deep = leaf = {}
    for _ in range(1_200):
        leaf["a"] = leaf = {}
    leaf["ip"] = "203.0.113.7"
    field = "data" + ".a" * 1_200 + ".ip"
    et.Tracker({"memory": memory}, processors=[Redact([field])]).emit("name", deep)

    text = encode_json(memory.events[0])
    assert b"<cut: too deep>" in text
    assert b"203.0.113.7" not in text


def test_a_redactor_that_fails_does_not_let_the_raw_event_through(memory):
    class Failing(Redact):
        def __call__(self, event):
            raise an_error()

    et.Tracker({"memory": memory}, processors=[Failing(["data.ip"])]).emit("name", {"ip": "1"})

    assert memory.events == []


class Unreadable(dict):
    """Refuses to be read, though an encoder in C would not ask."""

    def _refuse(self, *_):
        raise OSError

    copy = items = keys = values = __iter__ = _refuse


def test_what_a_redactor_cannot_read_does_not_go_on(memory):
    tracker = et.Tracker({"memory": memory}, processors=[Redact(["data.user.ip"])])
    tracker.emit("name", {"user": Unreadable(ip="203.0.113.7"), "n": 1})
    assert memory.events[0]["data"] == {"user": "<unreadable>", "n": 1}


@pytest.mark.parametrize("result", [5, "event", [5], (), True])
def test_a_processor_that_returns_something_else_has_failed(result, memory):
    tracker = et.Tracker({"memory": memory}, processors=[lambda _: result])
    tracker.emit("name")

    assert len(memory.events) == 1
    assert tracker.stats()["tree"]["processors"][0]["errors"] == {"error": 1}


def test_an_event_that_a_processor_ends_leaves_that_branch_alone(memory):
    below = MemoryBackend()
    branch = et.RoutingBackend({"below": below}, [failing(et.EventEmissionExit()), pytest.fail])
    tracker = et.Tracker({"a": branch, "b": memory})
    tracker.emit("name")

    assert below.events == []
    assert len(memory.events) == 1
    assert node(tracker, "a")["dropped"] == {"filtered": 1}
    assert [step["dropped"] for step in node(tracker, "a")["processors"]] == [1, 0]


def test_an_event_is_filtered_also_where_the_exit_has_a_cause(memory):
    def only_with_user(event):
        try:
            event["context"]["user_id"]
        except KeyError as error:
            raise et.EventEmissionExit from error

    tracker = et.Tracker({"memory": memory}, processors=[only_with_user])
    tracker.emit("name")

    assert tracker.stats()["tree"]["dropped"] == {"filtered": 1}


@pytest.mark.parametrize("kind", [Exception, OSError, RecursionError, MemoryError, BaseException])
def test_a_failing_backend_affects_no_sibling(kind, memory, caplog):
    other = MemoryBackend()
    error = an_error(kind)
    tracker = et.Tracker({"a": memory, "b": Failing(error), "c": other})
    tracker.emit("name")

    assert len(memory.events) == len(other.events) == 1
    assert node(tracker, "b")["dropped"] == {"error": 1}
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "backend b" in record.message
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(et.NoBackendEnabled, "no_backend"), (et.NoTransformerImplemented, "no_transformer")],
)
def test_what_a_component_says_of_itself_is_counted_apart_and_logged_as_info(
    kind, reason, memory, caplog
):
    caplog.set_level(logging.INFO, "eventtracking")
    tracker = et.Tracker(
        {"a": Failing(an_error(kind)), "b": memory}, processors=[failing(an_error(kind))]
    )
    tracker.emit("name")

    assert len(memory.events) == 1
    assert node(tracker, "a")["dropped"] == {reason: 1}
    assert tracker.stats()["tree"]["processors"][0]["errors"] == {reason: 1}
    assert [record.levelno for record in caplog.records] == [logging.INFO] * 2


def a_group(*errors):
    return BaseExceptionGroup("tasks", [ValueError(), BaseExceptionGroup("tasks", errors)])


ENDS = [KeyboardInterrupt(), SystemExit(), a_group(KeyboardInterrupt()), a_group(SystemExit())]


@pytest.mark.parametrize("end", ENDS, ids=repr)
@pytest.mark.parametrize("place", ["backend", "processor"])
def test_only_an_end_of_the_program_reaches_the_application(end, place):
    tracker = (
        et.Tracker({"a": Failing(end)})
        if place == "backend"
        else et.Tracker({"a": MemoryBackend()}, processors=[failing(end)])
    )
    with pytest.raises(type(end)):
        tracker.emit("name")
    tree = tracker.stats()["tree"]
    dropped = {**tree["dropped"], **tree["backends"][0]["dropped"]}

    assert sum(dropped.values()) == 1


def test_a_router_in_use_alone_swallows_failures_too(memory, an_event):
    router = et.RoutingBackend({"a": Failing(an_error()), "b": memory}, [failing(an_error())])
    router.send(an_event())
    router.send_to_backends(an_event())

    assert len(memory.events) == 2


def test_process_event_swallows_failures_and_tells_that_an_event_was_dropped(an_event):
    event = an_event()
    router = et.RoutingBackend(processors=[failing(an_error())])

    assert router.process_event(event) == event
    router.register_processor(failing(et.EventEmissionExit()))
    with pytest.raises(et.EventEmissionExit):
        router.process_event(event)


class Batching:
    """Takes batches only, and refuses the events it is told to."""

    def __init__(self, error=None):
        self.error, self.events = error, []

    def send_batch(self, events, *, timeout):
        assert timeout > 0
        if self.error is not None:
            raise self.error
        self.events += events


def test_a_backend_that_takes_batches_only_is_handed_events_one_by_one():
    batching = Batching()
    tracker = et.Tracker({"a": batching})
    ids = [tracker.emit("name") for _ in range(3)]

    assert [event["id"] for event in batching.events] == ids


@pytest.mark.parametrize(
    ("failures", "dropped"),
    [({0: et.RejectedError("no")}, {"rejected": 1}), ({0: OSError()}, {"error": 1}), ({}, {})],
)
def test_what_is_not_listed_in_a_batchs_failures_is_delivered(failures, dropped):
    tracker = et.Tracker({"a": Batching(et.BatchError(failures))})
    tracker.emit("name")

    assert node(tracker, "a")["dropped"] == dropped
    assert node(tracker, "a")["delivered"] == 1 - len(failures)
