"""What a tracker promises: ids, warnings, strictness, and the trackers of a process."""

from __future__ import annotations

import gc
import logging
import sys
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.backends.null import NullBackend


def test_emit_returns_the_id_of_the_event_that_arrives(tracker, memory):
    before = datetime.now(UTC)
    event_id = tracker.emit("edx.problem.check", {"attempts": 3})

    (event,) = memory.events
    assert before <= event.pop("timestamp") <= datetime.now(UTC)
    fields = {"name": "edx.problem.check", "data": {"attempts": 3}, "context": {}}
    assert event == {"id": event_id} | fields


def test_a_time_of_the_past_may_be_given(tracker, memory):
    moment = datetime(2020, 2, 29, 23, 59, 59, 999999, UTC)
    tracker.emit("name", timestamp=moment)

    assert memory.events[0]["timestamp"] == moment


@settings(max_examples=50, deadline=None)
@given(
    name=st.none() | st.text() | st.integers() | st.binary() | st.lists(st.text()),
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ),
)
def test_every_event_arrives_whatever_its_name_and_data(name, data):
    memory = MemoryBackend()
    event_id = et.Tracker({"memory": memory}).emit(name, data)

    (event,) = memory.events
    assert event["id"] == event_id
    assert event["name"].isprintable()
    assert 0 < len(event["name"]) <= 255
    assert isinstance(event["data"], dict)


def test_no_name_is_unknown_and_no_data_are_empty(tracker, memory):
    tracker.emit()

    assert (memory.events[0]["name"], memory.events[0]["data"]) == ("unknown", {})


@pytest.mark.parametrize("data", [5, "text", [1, 2], 0, ""])
def test_data_that_is_no_mapping_becomes_the_field_value(data, tracker, memory):
    tracker.emit("name", data)

    assert memory.events[0]["data"] == {"value": data}


def test_a_name_with_line_breaks_and_escapes_stays_on_one_line(tracker, memory):
    tracker.emit("a\nb\x1b[31m\u2028")

    assert memory.events[0]["name"] == "a\\nb\\x1b[31m\\u2028"


def test_long_names_that_differ_at_their_end_stay_apart(tracker, memory):
    tracker.emit("x" * 300 + "a")
    tracker.emit("x" * 300 + "b")

    first, second = (event["name"] for event in memory.events)
    assert first != second
    assert len(first) == len(second) == 255


PROBLEMS = {
    "name": {"name": None},
    "data": {"name": "with.odd.data", "data": 5},
    "timestamp": {"name": "with.odd.time", "timestamp": "yesterday"},
}


@pytest.mark.parametrize("code", PROBLEMS)
def test_a_problem_is_warned_of_once_for_each_event_and_counted_each_time(
    code, tracker, memory, caplog
):
    for _ in range(3):
        tracker.emit(**PROBLEMS[code])

    assert [record.code for record in caplog.records] == [code]
    assert caplog.records[0].name == "eventtracking"
    assert tracker.stats()["warnings"] == {code: 3}
    assert len(memory.events) == 3


def test_two_events_with_the_same_problem_are_warned_of_both(tracker, caplog):
    tracker.emit("a", 5)
    tracker.emit("b", 5)

    assert [record.event_name for record in caplog.records] == ["a", "b"]


def test_a_warning_quotes_no_payload(tracker, caplog):
    tracker.emit("name", "hunter2", timestamp="hunter2")

    assert caplog.records
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("code", PROBLEMS)
def test_a_strict_tracker_raises_what_would_be_a_warning(code, memory):
    with pytest.raises(et.InvalidEventError):
        et.Tracker({"memory": memory}, strict=True).emit(**PROBLEMS[code])

    assert memory.events == []


def test_a_strict_tracker_emits_what_is_right(memory):
    et.Tracker({"memory": memory}, strict=True).emit("name", {"a": 1})

    assert len(memory.events) == 1


def test_a_strict_tracker_leaves_a_failing_backend_in_the_tree():
    class Failing:
        def send(self, event):
            raise OSError

    assert et.Tracker({"failing": Failing()}, strict=True).emit("name")


def test_a_log_handler_that_fails_does_not_lose_the_event(tracker, memory):
    class Failing(logging.Handler):
        def emit(self, record):
            raise OSError("the log's disk is full")

    handler = Failing()
    logging.getLogger("eventtracking").addHandler(handler)
    try:
        tracker.emit("with.odd.data", 5)
    finally:
        logging.getLogger("eventtracking").removeHandler(handler)

    assert len(memory.events) == 1


def test_a_tracker_that_is_not_configured_does_nothing(caplog):
    tracker = et.Tracker()

    assert tracker.emit(None, 5)
    assert tracker.stats()["emitted"] == 0
    assert (tracker.flush(0), tracker.shutdown(0)) == (True, True)
    assert caplog.records == []


def test_an_event_made_elsewhere_is_routed_as_it_is(tracker, memory, an_event):
    event = an_event({"a": 1}, id="theirs", context={"b": 2})
    with tracker.context("request", {"user_id": 1}):
        tracker.send(event)

    assert memory.events == [event]
    assert tracker.stats()["emitted"] == 1


def test_sending_never_raises_and_does_nothing_without_configuration(an_event):
    et.Tracker().send(an_event())
    et.Tracker({"memory": MemoryBackend()}, processors=[lambda event: event["nothing"]]).send({})


def test_the_providers_lie_under_the_entered_contexts(tracker, memory):
    values = {"type": "static", "values": {"user_id": 0, "region": "eu"}}
    tracker.configure({"context": [values], "backends": {"memory": memory}})
    with tracker.context("request", {"user_id": 1}):
        tracker.emit("name")
        assert tracker.resolve_context() == {"user_id": 1}

    assert memory.events[0]["context"] == {"user_id": 1, "region": "eu"}


def test_a_provider_that_fails_does_not_lose_the_event_nor_the_other_contexts(tracker, memory):
    def failing():
        raise LookupError

    tracker.configure({"context": [failing, lambda: {"a": 1}], "backends": {"memory": memory}})
    tracker.emit("name")

    assert memory.events[0]["context"] == {"a": 1}


def test_backends_are_taken_in_the_order_of_their_names_and_found_by_them(memory):
    other = MemoryBackend()
    tracker = et.Tracker({"b": memory, "a": other}, processors=[print])

    assert list(tracker.backends) == ["a", "b"]
    assert tracker.get_backend("a") is other
    assert tracker.processors == [print]
    with pytest.raises(KeyError):
        tracker.get_backend("c")


def test_what_cannot_be_part_of_a_tree_is_refused():
    with pytest.raises(ValueError, match="'a' has no callable send"):
        et.Tracker({"a": object()})
    with pytest.raises(ValueError, match="not callable"):
        et.Tracker(processors=[5])


def test_what_is_registered_at_the_root_takes_effect_at_once(memory):
    tracker = et.Tracker()
    tracker.root.register_backend("memory", memory)
    tracker.emit("a")
    tracker.root.register_processor(lambda event: {**event, "name": "b"})
    tracker.emit("a")

    assert [event["name"] for event in memory.events] == ["a", "b"]


@pytest.fixture
def default_tracker(tracker):
    """A default tracker of the test's own."""
    before = et.get_tracker()
    et.register_tracker(tracker)
    yield tracker
    et.register_tracker(before)


def test_the_functions_of_the_package_are_those_of_the_default_tracker(default_tracker):
    memory = MemoryBackend()
    et.configure({"backends": {"memory": memory}})
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    with et.context("request", {"user_id": 1}):
        event_id = et.emit("name", {"a": 1}, timestamp=moment)

    fields = {"name": "name", "timestamp": moment, "context": {"user_id": 1}, "data": {"a": 1}}
    assert memory.events == [{"id": event_id} | fields]
    assert et.get_tracker() is et.get_tracker("default") is default_tracker


def test_a_tracker_is_found_under_the_name_it_was_registered_with(tracker):
    name = f"audit-{uuid4()}"
    with pytest.raises(KeyError, match=name):
        et.get_tracker(name)
    et.register_tracker(tracker, name)

    assert et.get_tracker(name) is tracker
    assert et.get_tracker() is not tracker


@pytest.mark.slow
@pytest.mark.native
def test_an_interrupt_at_any_call_of_a_new_tracker_is_all_that_is_raised():
    class Interrupt(BaseException): ...

    def interrupt_at(number):
        def count(_frame, kind, _argument):
            nonlocal number
            number -= kind in ("call", "c_return")
            if number == 0:
                raise Interrupt

        return count

    def is_interrupted_at(number):
        sys.setprofile(interrupt_at(number))
        try:
            complete.append(et.Tracker({"null": NullBackend()}))
        except Interrupt:
            return True
        finally:
            sys.setprofile(None)
        return False

    complete = [et.Tracker({"null": NullBackend()})]  # imports
    number = 1
    while is_interrupted_at(number):
        gc.collect()
        number += 1
    assert number > 20


def test_a_name_belongs_to_the_tracker_and_so_do_the_spools_of_that_name(tmp_path):
    audit = et.Tracker(name="audit")
    spool = {"mode": "spool", "directory": str(tmp_path)}
    audit.configure({"backends": {"store": {"type": "null", "delivery": spool}}})
    audit.emit("a.b")
    assert audit.shutdown(10)

    assert audit.name == "audit"
    assert [path.name for path in tmp_path.iterdir()] == ["store@audit"]
    audit.rename("reports")
    assert audit.name == "reports"
