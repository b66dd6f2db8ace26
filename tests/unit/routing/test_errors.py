"""Errors of backends: their kinds, and what is counted."""

from __future__ import annotations

import pytest

import eventtracking_core as et


def failing_with(error):
    class Failing:
        def send(self, event):
            raise error

    return Failing()


def dropped(tracker, name):
    nodes = tracker.stats()["tree"]["backends"]
    return next(node["dropped"] for node in nodes if node["name"] == name)


def test_an_error_that_cannot_be_printed_does_not_keep_the_event_from_the_siblings(memory):
    class Unprintable(et.RetryableError):
        def __str__(self):
            raise RuntimeError("no text")

    tracker = et.Tracker({"a": failing_with(Unprintable()), "memory": memory})
    event_id = tracker.emit("name")

    assert [event["id"] for event in memory.events] == [event_id]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (et.RejectedError, "rejected"),
        (et.NoBackendEnabled, "no_backend"),
        (et.NoTransformerImplemented, "no_transformer"),
    ],
)
def test_an_error_of_ones_own_is_counted_as_the_one_it_is_made_from(kind, reason):
    of_ones_own = type("OfOnesOwn", (kind,), {})
    tracker = et.Tracker({"a": failing_with(of_ones_own())})
    tracker.emit("name")

    assert dropped(tracker, "a") == {reason: 1}
