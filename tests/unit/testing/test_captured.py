"""What a test asks of captured events, and what it is told when it was wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import eventtracking_core as et
from eventtracking_core.testing import CapturedEvents, capture, frozen


@pytest.fixture
def quiz():
    """What a quiz emits: opened, answered wrong, answered right, closed."""
    tracker = et.Tracker()
    with capture(tracker) as events:
        tracker.emit("quiz.opened")
        tracker.emit("quiz.checked", {"correct": False, "by": {"id": 7, "role": "learner"}})
        tracker.emit("quiz.checked", {"correct": True, "by": {"id": 7, "role": "learner"}})
        tracker.emit("quiz.closed")
    return events


def test_names_are_those_of_the_events_in_their_order(quiz):
    assert quiz.names == ["quiz.opened", "quiz.checked", "quiz.checked", "quiz.closed"]
    assert quiz.named("quiz.checked").names == ["quiz.checked"] * 2
    assert quiz.named("quiz") == []


def test_one_event_is_found_by_a_part_of_its_data(quiz):
    assert quiz.one("quiz.opened") == quiz[0]
    assert quiz.one("quiz.checked", correct=True, by={"id": 7}) == quiz[2]


@pytest.mark.parametrize(
    ("subset", "said"),
    [
        ({"correct": None}, "one event quiz.checked {'correct': None}, found none; captured were:"),
        ({"by": {"id": 8}}, "one event quiz.checked {'by': {'id': 8}}, found none;"),
        ({"by": {"id": 7}}, "found 2;"),
        ({"by": 7}, "found none;"),
        ({"correct": {"id": 7}}, "found none;"),
        ({"absent": None}, "found none;"),
    ],
)
def test_none_or_several_where_one_is_expected_fail_with_what_was_captured(quiz, subset, said):
    with pytest.raises(AssertionError) as caught:
        quiz.one("quiz.checked", **subset)

    assert said in str(caught.value)
    assert "\n  quiz.opened\n  quiz.checked {'by': {'id': 7," in str(caught.value)


def test_events_are_found_by_a_part_of_their_context():
    tracker = et.Tracker()
    with capture(tracker) as events:
        for user in (7, 8):
            with tracker.context(user_id=user, request={"path": "/q", "id": user}):
                tracker.emit("quiz.checked", {"context": "exam", "data": 1})

    assert events.one("quiz.checked", context={"user_id": 7}) == events[0]
    assert events.one("quiz.checked", data={"context": "exam"}, context={"request": {"id": 8}})
    events.assert_in_order(
        ("quiz.checked", {}, {"user_id": 7}), ("quiz.checked", {"data": 1}, {"user_id": 8})
    )
    with pytest.raises(AssertionError) as caught:
        events.one("quiz.checked", context={"user_id": 9})
    assert "quiz.checked in context {'user_id': 9}, found none; captured were:" in str(caught.value)
    assert "in context {'request': {" in str(caught.value)


def test_that_there_are_no_events_is_checked_for_all_or_for_a_name(quiz):
    CapturedEvents().assert_none()
    quiz.assert_none("quiz.failed")

    with pytest.raises(AssertionError, match=r"expected no events; captured were:\n  quiz\.opened"):
        quiz.assert_none()
    with pytest.raises(AssertionError, match=r"expected no events quiz\.closed;"):
        quiz.assert_none("quiz.closed")


def test_events_in_order_may_have_others_in_between(quiz):
    quiz.assert_in_order()
    quiz.assert_in_order("quiz.opened", "quiz.closed")
    quiz.assert_in_order(("quiz.checked", {"correct": False}), ("quiz.checked", {"correct": True}))


def test_events_that_come_too_early_or_never_are_told(quiz):
    with pytest.raises(AssertionError, match=r"an event quiz\.opened, after those .* before it;"):
        quiz.assert_in_order("quiz.closed", "quiz.opened")
    with pytest.raises(AssertionError, match=r"an event quiz\.failed; captured were:"):
        quiz.assert_in_order("quiz.failed")
    with pytest.raises(AssertionError, match="nothing was captured"):
        CapturedEvents().assert_in_order("quiz.opened")


def test_long_lists_and_values_are_cut_in_what_is_told():
    event = {"name": "long", "data": {"text": "x" * 1000}}

    with pytest.raises(AssertionError) as caught:
        CapturedEvents([event] * 1000).assert_none()

    assert "and 950 more" in str(caught.value)
    assert len(str(caught.value)) < 10_000


def test_frozen_events_are_the_same_in_each_run():
    def emitted():
        tracker = et.Tracker()
        with frozen() as clock, capture(tracker) as events:
            tracker.emit("first")
            clock.tick(90)
            tracker.emit("second")
        return events

    first, second = emitted()

    assert emitted() == [first, second]
    assert first["id"] == "019b76da-a800-7000-8000-000000000001"
    assert first["id"] < second["id"]
    assert second["timestamp"] - first["timestamp"] == timedelta(seconds=90)


def test_time_goes_on_after_the_block():
    tracker = et.Tracker()
    moment = datetime(1999, 12, 31)  # noqa: DTZ001  a naive one is taken as UTC

    with capture(tracker) as events:
        with frozen(moment) as clock:
            tracker.emit("frozen")
        tracker.emit("thawed")

    assert events[0]["timestamp"] == clock.now == datetime(1999, 12, 31, tzinfo=UTC)
    assert abs(events[1]["timestamp"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert events[1]["id"] > "019b76da-b"
