"""`--eventtracking-strict`: a test fails where a tracker only warned."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.native, pytest.mark.slow]

TESTS = """
    import eventtracking_core as et
    from eventtracking_core.backends.memory import MemoryBackend
    import pytest

    tracker = et.Tracker({"memory": MemoryBackend()})

    def test_valid():
        tracker.emit("quiz.checked", {"correct": True})

    @pytest.mark.parametrize("time", ["first", "second"])
    def test_invalid(time):
        tracker.emit("quiz.checked", 42)
        tracker.emit("quiz.checked", 42)
        tracker.emit("")

    @pytest.fixture
    def emitting():
        tracker.emit("quiz.opened", [])
        yield

    def test_in_a_fixture(emitting):
        pass

    def test_that_fails_by_itself():
        tracker.emit("quiz.checked", 42)
        assert not "mine"
"""


def test_each_test_in_which_an_event_is_invalid_fails_and_says_so(run_pytest):
    done = run_pytest("--eventtracking-strict", test_quiz=TESTS)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "3 failed, 1 passed, 1 error" in done.stdout
    told = """
events are not what they should be:
  quiz.checked: data is no mapping but int (2 times)
  unknown: an event has no name, or one that is not text
"""
    assert done.stdout.count(told) == 2
    assert "  quiz.opened: data is no mapping but list\n" in done.stdout
    assert "assert not 'mine'" in done.stdout
    assert "Traceback" not in done.stdout


def test_without_it_warnings_are_only_warnings(run_pytest):
    done = run_pytest(test_quiz=TESTS)

    assert "1 failed, 4 passed" in done.stdout
