"""The fixtures that pytest offers wherever the core is installed."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.native, pytest.mark.slow]


def test_what_is_emitted_on_the_default_tracker_is_captured_for_one_test(run_pytest):
    done = run_pytest(
        test_quiz="""
            import eventtracking_core as et

            def test_first(captured_events):
                et.emit("quiz.checked", {"correct": True, "attempts": 2})
                assert captured_events.one("quiz.checked", correct=True)["data"]["attempts"] == 2

            def test_second(captured_events):
                captured_events.assert_none()
        """
    )

    assert done.returncode == 0, done.stdout


def test_a_failure_shows_what_was_captured_and_where_the_test_asked(run_pytest):
    done = run_pytest(
        test_quiz="""
            import eventtracking_core as et

            def test_quiz(captured_events):
                et.emit("quiz.checked", {"correct": False})
                captured_events.one("quiz.checked", correct=True)
        """
    )

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "expected one event quiz.checked {'correct': True}, found none" in done.stdout
    assert "  quiz.checked {'correct': False}" in done.stdout
    assert "test_quiz.py:6: AssertionError" in done.stdout


def test_frozen_events_can_be_compared_as_a_whole(run_pytest):
    done = run_pytest(
        test_quiz="""
            from datetime import UTC, datetime
            import eventtracking_core as et

            def test_quiz(captured_events, frozen_events):
                et.emit("quiz.opened")
                frozen_events.tick(60)
                et.emit("quiz.closed")
                assert captured_events[0] == {
                    "id": "019b76da-a800-7000-8000-000000000001",
                    "name": "quiz.opened",
                    "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
                    "context": {},
                    "data": {},
                }
                assert captured_events[1]["timestamp"] == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)

            def test_afterwards(captured_events):
                id = et.emit("quiz.opened")
                assert not id.startswith("019b76da-a800")
        """
    )

    assert done.returncode == 0, done.stdout
