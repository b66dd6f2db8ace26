"""Events, and trackers that remember them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.events import new_id


@pytest.fixture(scope="session")
def an_event():
    """Makes events."""

    def make(data=None, **fields):
        event = {"id": new_id(), "name": "edx.problem.check"}
        event |= {"timestamp": datetime(2026, 9, 12, 12, 55, 0, 123450, UTC), "context": {}}
        return event | {"data": {} if data is None else data} | fields

    return make


@pytest.fixture
def memory():
    return MemoryBackend(1_000_000)


@pytest.fixture
def tracker(memory):
    return et.Tracker({"memory": memory})
