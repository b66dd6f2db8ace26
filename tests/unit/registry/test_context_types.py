"""Contexts that are described, and what events refer to."""

from __future__ import annotations

import threading
from collections import OrderedDict

import pytest

import eventtracking_core as et
from eventtracking_core.registry import find_record

REQUEST = ("request", {"user_id": 1}, "An HTTP request is being answered.", {"user_id": "Who"})


class OrderedLocator:
    """A locator of somebody's own."""

    def __init__(self):
        self._contexts = OrderedDict()

    def get(self):
        return self._contexts


def test_an_event_refers_to_the_described_context(tracker, memory):
    tracker.enter_context(*REQUEST)
    tracker.emit("edx.a")
    tracker.exit_context("request")
    tracker.emit("edx.a")

    record = tracker.event_types.get("request", kind="context")
    assert record.description == "An HTTP request is being answered."
    assert record.fields == (et.FieldDoc("user_id", "Who"),)
    assert memory.events[0]["context_type_id"] == record.id
    assert "context_type_id" not in memory.events[1]


def test_several_described_contexts_are_a_composed_type(tracker, memory):
    with tracker.context(*REQUEST), tracker.context(plain=1):
        with tracker.context("view", {"page": 1}, "A page is shown."):
            tracker.emit("edx.a")
        tracker.emit("edx.a")

    composed = find_record(memory.events[0]["context_type_id"])
    members = [find_record(member).name for member in composed.members]
    assert (composed.kind, composed.name, members) == (
        "composed",
        "request+view",
        ["request", "view"],
    )
    assert find_record(memory.events[1]["context_type_id"]).name == "request"


def test_a_context_entered_twice_is_one_type(tracker, memory):
    with tracker.context(*REQUEST), tracker.context(*REQUEST):
        tracker.emit("edx.a")

    assert find_record(memory.events[0]["context_type_id"]).kind == "context"


@pytest.mark.parametrize(
    "locator", [OrderedLocator, et.DefaultContextLocator, et.ThreadLocalContextLocator]
)
def test_any_locator_keeps_what_a_context_means(memory, locator):
    tracker = et.Tracker({"memory": memory}, locator())
    tracker.enter_context(*REQUEST)
    tracker.enter_context("plain", {"a": 1})
    tracker.enter_context("view", {"page": 1}, "A page is shown.")
    tracker.exit_context("plain")
    tracker.emit("edx.a")

    assert find_record(memory.events[0]["context_type_id"]).name == "request+view"


def test_another_description_is_another_type_from_then_on(tracker, memory):
    for description in ("one", "two", "one"):
        with tracker.context("request", {}, description):
            tracker.emit("edx.a")

    ids = [event["context_type_id"] for event in memory.events]
    assert ids[0] == ids[2] != ids[1]
    assert tracker.event_types.get("request", kind="context").description == "one"


def test_contexts_without_a_description_cost_no_event_type(tracker, memory):
    with tracker.context("request", {"user_id": 1}):
        tracker.emit("edx.a")

    assert len(tracker.event_types) == 0
    assert tracker.stats()["warnings"] == {}


def test_an_event_may_be_of_a_type_and_in_a_described_context(tracker, memory):
    record = tracker.register("edx.a", "described")
    with tracker.context(*REQUEST):
        tracker.emit("edx.a")
        tracker.emit("edx.unknown")

    event, other = memory.events
    assert event["name_id"] == record.id
    assert event["context_type_id"] == other["context_type_id"]
    assert "name_id" not in other


def test_a_context_of_the_same_name_as_an_event_is_apart(tracker, memory):
    tracker.register("edx.a", "an event")
    tracker.emit("edx.a")
    with tracker.context("edx.a", {}, "a context"):
        tracker.emit("edx.a")

    assert memory.events[0]["name_id"] == memory.events[1]["name_id"]


@pytest.mark.native
def test_threads_share_what_contexts_mean(tracker, memory):
    def work():
        with tracker.context(*REQUEST):
            tracker.emit("edx.a")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({event["context_type_id"] for event in memory.events}) == 1


@pytest.mark.parametrize("arguments", [({"a": 1}, None, "described"), ("", {}, "described")])
def test_a_context_that_is_described_has_a_name(tracker, arguments):
    with pytest.raises(ValueError, match="name"):
        tracker.context(*arguments)
