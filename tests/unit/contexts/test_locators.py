"""Where a tracker finds its contexts."""

from __future__ import annotations

import threading
from collections import OrderedDict

import pytest

import eventtracking_core as et


class OfOnesOwn:
    """One `OrderedDict` for everybody."""

    def __init__(self):
        self.contexts = OrderedDict()

    def get(self):
        return self.contexts


ALL = [
    et.ContextVarLocator,
    et.DefaultContextLocator,
    et.ThreadLocalContextLocator,
    OfOnesOwn,
]


@pytest.fixture(params=ALL, ids=lambda kind: kind.__name__)
def tracker(request, memory):
    return et.Tracker({"memory": memory}, request.param())


def in_another_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_events_carry_contexts_whatever_the_locator(tracker, memory):
    with tracker.context("session", {"a": 1, "b": 1}), tracker.context({"b": 2}):
        tracker.emit("name")

    assert memory.events[0]["context"] == {"a": 1, "b": 2}
    assert tracker.resolve_context() == {}


def test_a_name_nests_and_is_left_in_any_order(tracker):
    tracker.enter_context("a", {"a": 1})
    tracker.enter_context("b", {"b": 1})
    tracker.enter_context("a", {"a": 2})
    tracker.exit_context("b")

    assert tracker.resolve_context() == {"a": 2}
    tracker.exit_context("a")
    assert tracker.resolve_context() == {"a": 1}
    with pytest.raises(KeyError):
        tracker.exit_context("b")


def test_blocks_may_end_in_another_order(tracker):
    first, second = tracker.context("same", {"a": 1}), tracker.context("same", {"b": 2})
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)

    assert tracker.resolve_context() == {"b": 2}
    second.__exit__(None, None, None)
    assert tracker.resolve_context() == {}


def test_the_located_context_tells_the_active_contexts_by_name(tracker):
    with tracker.context("session", {"a": 1}), tracker.context("request", {"b": 2}):
        assert dict(tracker.located_context) == {"session": {"a": 1}, "request": {"b": 2}}
        assert list(tracker.located_context) == ["session", "request"]
    assert len(tracker.located_context) == 0


def test_a_change_of_the_located_context_takes_effect(tracker):
    tracker.enter_context("session", {"a": 1})
    tracker.located_context["request"] = {"b": 2}
    del tracker.located_context["session"]

    assert tracker.resolve_context() == {"b": 2}


@pytest.mark.native
@pytest.mark.parametrize("kind", [et.ContextVarLocator, et.ThreadLocalContextLocator])
def test_threads_have_a_stack_each(kind):
    tracker = et.Tracker(context_locator=kind())
    tracker.enter_context("request", {"a": 1})

    assert in_another_thread(tracker.resolve_context) == {}


@pytest.mark.native
def test_the_default_locator_has_one_stack_for_all():
    tracker = et.Tracker(context_locator=et.DefaultContextLocator())
    tracker.enter_context("request", {"a": 1})

    assert in_another_thread(tracker.resolve_context) == {"a": 1}


def test_what_somebody_else_puts_into_a_mapping_of_ones_own_is_carried(memory):
    locator = OfOnesOwn()
    locator.contexts["theirs"] = {"a": 1}
    tracker = et.Tracker({"memory": memory}, locator)
    tracker.emit("name")

    assert memory.events[0]["context"] == {"a": 1}


def test_the_located_context_shows_names_and_no_values():
    tracker = et.Tracker()
    tracker.enter_context("session", {"password": "hunter2"})

    assert "session" in repr(tracker.located_context)
    assert "hunter2" not in repr(tracker.located_context)
