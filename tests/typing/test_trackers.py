"""The types that an application meets: trackers, contexts, the functions of the module."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, assert_type

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend


class RequestLocator:
    """A locator of one's own: contexts by name in an `OrderedDict`."""

    def __init__(self) -> None:
        self._contexts: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    def get(self) -> OrderedDict[str, Mapping[str, Any]]:
        return self._contexts


def check(problem_id: str, *, attempts: int) -> str:
    """Emit on the default tracker, in a thread of somebody else."""
    return et.emit("edx.problem.check", {"problem_id": problem_id, "attempts": attempts})


def test_the_functions_of_the_module_use_the_default_tracker() -> None:
    memory = MemoryBackend()
    et.configure({"backends": {"memory": memory}})
    with et.context("request", {"user_id": 1}), et.context({"course_id": "c1"}):
        with et.context(session="s1"), ThreadPoolExecutor(1) as pool:
            carried = pool.submit(et.carry(check), "p1", attempts=3)
        event_id = assert_type(carried.result(), str)
    et.configure({})
    (event,) = memory.events
    assert assert_type(event["id"], str) == event_id
    assert assert_type(event["timestamp"], datetime).tzinfo is UTC
    context = assert_type(event["context"], dict[str, Any])
    assert context == {"user_id": 1, "course_id": "c1", "session": "s1"}
    assert assert_type(event["data"], dict[str, Any]) == {"problem_id": "p1", "attempts": 3}


def test_a_carried_function_keeps_its_parameters() -> None:
    with pytest.raises(TypeError):
        et.carry(check)("p1", attempt=3)  # type: ignore[call-arg]


def test_named_trackers_are_registered_and_got() -> None:
    et.register_tracker(et.Tracker(strict=True), "typed")
    tracker = assert_type(et.get_tracker("typed"), et.Tracker)
    with pytest.raises(KeyError):
        et.get_tracker("no such tracker")
    with pytest.raises(TypeError):
        et.Tracker(None, None, None, True)  # type: ignore[call-arg]  # noqa: FBT003
    assert tracker is not et.get_tracker()


def test_a_tracker_emits_flushes_shuts_down_and_tells_its_counters() -> None:
    tracker = et.Tracker({"memory": MemoryBackend()})
    moment = datetime(2026, 9, 12, 12, 55, tzinfo=UTC)
    assert_type(tracker.emit("edx.problem.check", {"problem_id": "p1"}, timestamp=moment), str)
    assert_type(tracker.stats(), dict[str, Any])
    assert assert_type(tracker.flush(1.0), bool)
    assert assert_type(tracker.shutdown(timeout=1.0), bool)


@pytest.mark.parametrize(
    "locator",
    [
        RequestLocator(),
        et.ContextVarLocator(),
        et.DefaultContextLocator(),
        et.ThreadLocalContextLocator(),
    ],
    ids=lambda locator: type(locator).__name__,
)
def test_a_locator_has_get(locator: et.ContextLocator) -> None:
    memory = MemoryBackend()
    tracker = et.Tracker({"memory": memory}, locator)
    tracker.enter_context("request", {"user_id": 1})
    tracker.emit("edx.problem.check")
    assert list(assert_type(tracker.located_context, Mapping[str, Mapping[str, Any]])) == [
        "request"
    ]
    assert assert_type(tracker.resolve_context(), dict[str, Any]) == {"user_id": 1}
    tracker.exit_context("request")
    assert tracker.resolve_context() == {}
    assert memory.events[0]["context"] == {"user_id": 1}


def test_every_locator_of_the_core_is_one() -> None:
    locators: list[et.ContextLocator] = [
        RequestLocator(),
        et.ContextVarLocator(),
        et.DefaultContextLocator(),
        et.ThreadLocalContextLocator(),
    ]
    assert all(len(locator.get()) == 0 for locator in locators)
