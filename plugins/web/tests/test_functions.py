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


def test_also_if_it_raises_or_is_a_coroutine_function(queued):
    @flushed(tracker=queued, timeout=5)
    async def handler():
        queued.emit("failed")
        raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(handler())
    assert names(queued) == ["failed"]
