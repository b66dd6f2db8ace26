"""Functions that are frozen after they return."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from eventtracking_core import Tracker
from eventtracking_web import flushed

QUEUED = {"type": "memory", "delivery": {"mode": "queue", "schedule_delay": 60}}


@pytest.fixture
def queued():
    tracker = Tracker()
    tracker.configure({"backends": {"memory": QUEUED}})
    yield tracker
    tracker.shutdown(5)


def names(tracker):
    return [event["name"] for event in tracker.get_backend("memory").events]


def test_what_a_function_emitted_is_delivered_when_it_returns(queued):
    @flushed(tracker=queued)
    def handler(event, context):
        queued.emit("handled", event)
        return "done"

    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 3000)
    assert handler({"n": 1}, context) == "done"
    assert names(queued) == ["handled"]


@pytest.mark.parametrize("is_named", [False, True])
def test_the_time_that_is_left_limits_the_flush_however_it_is_passed(queued, is_named):
    asked = []

    def remaining():
        asked.append(True)
        return 3000

    @flushed(tracker=queued)
    def handler(event, context):
        queued.emit("handled")

    context = SimpleNamespace(get_remaining_time_in_millis=remaining)
    handler({}, context=context) if is_named else handler({}, context)
    assert asked == [True]
    assert names(queued) == ["handled"]


def test_what_runs_in_a_returned_awaitable_is_delivered_too(queued):
    class Handler:
        async def __call__(self, event):
            await asyncio.sleep(0)
            queued.emit("handled", event)
            return "done"

    assert asyncio.run(flushed(Handler().__call__, tracker=queued)({"n": 1})) == "done"
    assert asyncio.run(flushed(Handler(), tracker=queued)({"n": 1})) == "done"
    assert names(queued) == ["handled", "handled"]


def test_also_if_it_raises_or_is_a_coroutine_function(queued):
    @flushed(tracker=queued, timeout=5)
    async def handler():
        queued.emit("failed")
        raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(handler())
    assert names(queued) == ["failed"]
