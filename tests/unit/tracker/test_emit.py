"""What `emit` does with what it is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

import eventtracking_core as et


@pytest.mark.parametrize("kind", ["lying", "text"])
def test_a_name_that_raises_when_looked_at_does_not_lose_the_event(kind, hostile, tracker, memory):
    event_id = tracker.emit(getattr(hostile, kind), {"a": 1})

    assert [event["id"] for event in memory.events] == [event_id]


def test_data_that_raise_when_looked_at_do_not_lose_the_event(hostile, tracker, memory):
    event_id = tracker.emit("name", hostile.lying)

    assert [event["id"] for event in memory.events] == [event_id]


def test_a_locator_that_fails_does_not_lose_the_event(memory):
    class Broken:
        def get(self):
            raise RuntimeError("broken")

    event_id = et.Tracker({"memory": memory}, Broken()).emit("name")

    assert [event["id"] for event in memory.events] == [event_id]


@pytest.mark.native
def test_a_time_without_an_offset_is_taken_as_utc(tracker, memory, no_offset, far_from_utc):
    tracker.emit("name", timestamp=datetime(2026, 1, 1, tzinfo=no_offset))

    assert memory.events[0]["timestamp"] == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_time_out_of_range_is_clamped(tracker, memory):
    west = timezone(timedelta(hours=-5))
    tracker.emit("name", timestamp=datetime.max.replace(tzinfo=west))

    assert memory.events[0]["timestamp"] == datetime.max.replace(tzinfo=UTC)
