"""A processor may return several events in place of one."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.testing import capture

PARENT = "01997c9e-0000-7000-8000-000000000001"


def letters(event):
    """One event for each letter of `data.text`."""
    return [{**event, "data": {"text": letter}} for letter in event["data"]["text"]]


def texts(backend):
    return [event["data"]["text"] for event in backend.events]


def only(*wanted):
    def keep(event):
        if event["data"]["text"] not in wanted:
            raise et.EventEmissionExit

    return keep


def tree(tracker):
    return tracker.stats()["tree"]


def test_the_rest_of_the_chain_and_the_backends_run_for_each_event_of_a_list():
    one, other = MemoryBackend(), MemoryBackend()
    tracker = et.Tracker(
        {"one": one, "other": et.RoutingBackend({"m": other}, [only("b")])},
        processors=[letters, lambda event: event["data"].update(seen=True)],
    )
    tracker.emit("word", {"text": "abc"})

    assert [event["data"] for event in one.events] == [
        {"text": letter, "seen": True} for letter in "abc"
    ]
    assert texts(other) == ["b"]


def test_an_empty_list_drops_the_event():
    memory = MemoryBackend()
    tracker = et.Tracker({"memory": memory}, processors=[letters])
    tracker.emit("word", {"text": ""})

    assert memory.events == []
    assert tree(tracker)["dropped"] == {"filtered": 1}
    assert tree(tracker)["processors"][0]["dropped"] == 1


def test_a_part_keeps_the_time_of_its_parent_and_has_an_id_of_its_own(memory):
    tracker = et.Tracker({"memory": memory}, processors=[letters])
    moment = datetime(2026, 9, 12, 12, 55, tzinfo=UTC)
    parent = tracker.emit("word", {"text": "abc"}, timestamp=moment)

    ids = [event["id"] for event in memory.events]
    assert len({parent, *ids}) == 4
    for each in ids:
        assert uuid.UUID(each).version == 8
        assert uuid.UUID(each).variant == uuid.RFC_4122
        assert each[:13] == parent[:13]
    assert {event["timestamp"] for event in memory.events} == {moment}


def test_a_repeated_event_has_parts_of_the_same_ids(memory, an_event):
    tracker = et.Tracker({"memory": memory}, processors=[letters, letters])
    event = {**an_event({"text": "ab"}), "id": PARENT}
    tracker.send(event)
    tracker.send(event)

    ids = [event["id"] for event in memory.events]
    assert ids[:2] == ids[2:]
    assert ids[0] == "01997c9e-0000-8f94-bb74-7b33256aeb01"  # the same in any process and version
    assert event["id"] == PARENT


@pytest.mark.parametrize("parent", ["", "a line of a log", "\ud800", "01997c9e-0000", None, 7])
def test_an_event_with_any_id_has_parts_with_ids(parent, memory, an_event):
    tracker = et.Tracker({"memory": memory}, processors=[letters])
    tracker.send({**an_event({"text": "ab"}), "id": parent})

    first, second = (uuid.UUID(event["id"]) for event in memory.events)
    assert first != second


def test_a_part_takes_from_its_parent_what_the_processor_left_out(memory):
    tracker = et.Tracker(
        {"memory": memory}, processors=[lambda event: [{"data": {"n": 1}}, {"name": "other"}]]
    )
    with tracker.context(user_id=7):
        tracker.emit("name", {"n": 0})

    assert [(e["name"], e["context"], e["data"]) for e in memory.events] == [
        ("name", {"user_id": 7}, {"n": 1}),
        ("other", {"user_id": 7}, {"n": 0}),
    ]


def test_parts_share_nothing_with_each_other_and_the_callers_data(memory):
    def number(event):
        event["context"]["seen"].append(event["data"]["text"])

    letters.mutates = False
    try:
        tracker = et.Tracker({"memory": memory}, processors=[letters, number])
        seen = []
        with tracker.context(seen=seen):
            tracker.emit("word", {"text": "ab"})
    finally:
        del letters.mutates

    assert [event["context"]["seen"] for event in memory.events] == [["a"], ["b"]]
    assert seen == []


@pytest.mark.parametrize("on_error", ["continue", "drop"])
def test_a_list_with_something_else_in_it_is_a_failure(on_error, memory, caplog):
    def bad(event):
        return [event, "no event"]

    bad.on_error = on_error
    tracker = et.Tracker({"memory": memory}, processors=[bad, lambda event: {**event, "name": "n"}])
    with caplog.at_level(logging.ERROR, "eventtracking"):
        tracker.emit("name")

    assert [event["name"] for event in memory.events] == (["n"] if on_error == "continue" else [])
    assert "processor bad failed" in caplog.text
    assert tree(tracker)["processors"][0]["errors"] == {"error": 1}


def test_a_processor_that_fails_closed_drops_the_part_that_it_failed_on(memory):
    def strict(event):
        if event["data"]["text"] == "b":
            raise ValueError

    strict.on_error = "drop"
    tracker = et.Tracker({"memory": memory}, processors=[letters, strict])
    tracker.emit("word", {"text": "abc"})

    assert texts(memory) == ["a", "c"]
    assert tree(tracker)["dropped"] == {"processor_error": 1}


def test_captured_events_are_the_parts():
    tracker = et.Tracker({"null": MemoryBackend()}, processors=[letters])
    with capture(tracker) as events:
        tracker.emit("word", {"text": "ab"})

    assert [event["data"]["text"] for event in events] == ["a", "b"]


def test_a_router_of_ones_own_gets_the_parts():
    class Noting(et.RoutingBackend):
        def send_to_backends(self, event):
            self.noted.append(event["data"]["text"])
            super().send_to_backends(event)

    memory = MemoryBackend()
    noting = Noting({"memory": memory}, [letters])
    noting.noted = []
    et.Tracker({"noting": noting}).emit("word", {"text": "ab"})

    assert noting.noted == texts(memory) == ["a", "b"]


def test_process_event_returns_the_parts(an_event):
    router = et.RoutingBackend(processors=[letters, only("b", "c")])
    processed = router.process_event(an_event({"text": "abc"}))
    assert [event["data"]["text"] for event in processed] == ["b", "c"]
    with pytest.raises(et.EventEmissionExit):
        router.process_event(an_event({"text": "a"}))


def test_an_interrupt_reaches_the_application_after_the_other_parts_were_sent(memory):
    class Interrupted:
        def send(self, event):
            if event["data"]["text"] == "a":
                raise KeyboardInterrupt

    tracker = et.Tracker({"a": Interrupted(), "memory": memory}, processors=[letters])
    with pytest.raises(KeyboardInterrupt):
        tracker.emit("word", {"text": "abc"})

    assert texts(memory) == ["a", "b", "c"]
    leaf = tree(tracker)["backends"][0]
    assert (leaf["accepted"], leaf["delivered"], leaf["dropped"]) == (3, 2, {"interrupted": 1})


def test_an_interrupt_in_the_chain_drops_the_whole_event(memory):
    def interrupt(event):
        if event["data"]["text"] == "b":
            raise KeyboardInterrupt

    tracker = et.Tracker({"memory": memory}, processors=[letters, interrupt])
    with pytest.raises(KeyboardInterrupt):
        tracker.emit("word", {"text": "ab"})
    tracker.emit("word", {"text": "cd"})

    assert texts(memory) == ["c", "d"]
    root = tree(tracker)
    assert (root["accepted"], root["added"], root["dropped"]) == (2, 1, {"interrupted": 1})


class Splitting:
    """Splits, drops, fails or leaves alone, by the number of the event and of its place."""

    def __init__(self, moods):
        self.moods = moods

    def __call__(self, event):
        mood = self.moods[sum(event["data"]["place"]) % len(self.moods)]
        if isinstance(mood, BaseException):
            raise mood
        if mood is None:
            return None
        place = event["data"]["place"]
        return [{**event, "data": {"place": [*place, number]}} for number in range(mood)]


MOODS = st.lists(
    st.none()
    | st.integers(0, 3)
    | st.sampled_from([et.EventEmissionExit(), et.NoTransformerImplemented(), ValueError()]),
    min_size=1,
    max_size=5,
)


@settings(max_examples=40)
@given(
    at_root=MOODS,
    then=MOODS,
    at_branch=MOODS,
    mode=st.sampled_from(["inline", "queue", "spool"]),
    numbers=st.integers(1, 12),
)
def test_every_part_is_accounted_for(at_root, then, at_branch, mode, numbers):
    one, other = MemoryBackend(), MemoryBackend()
    with TemporaryDirectory() as directory:
        delivery = (
            {"mode": mode}
            if mode == "inline"
            else {"mode": mode, "directory": directory, "schedule_delay": 0.001}
        )
        tracker = et.Tracker()
        branch = {"processors": [Splitting(at_branch)], "backends": {"other": other}}
        plain = {"backends": {"one": one, "branch": branch}, "delivery": delivery}
        tracker.configure(
            {"processors": [Splitting(at_root), Splitting(then)], "backends": {"plain": plain}}
        )
        for number in range(numbers):
            tracker.emit("numbered", {"place": [number]})
        assert tracker.flush(60)
        root = tree(tracker)
        assert tracker.shutdown(60)

    def check(node, entered):
        assert node["accepted"] == entered
        passed = node["accepted"] - sum(node["dropped"].values()) + node.get("added", 0)
        if "backends" not in node:
            assert passed == node["delivered"]
            assert node["pending"] == 0
        for child in node.get("backends", ()):
            check(child, passed)

    check(root, numbers)
    plain, branch = root["backends"][0]["backends"]
    for memory, leaf in ((one, plain), (other, branch["backends"][0])):
        ids = [event["id"] for event in memory.events]
        assert len(ids) == len(set(ids)) == leaf["delivered"]
