"""`--eventtracking-coverage`: which registered types and fields a run of tests emitted."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.native, pytest.mark.slow]

TESTS = """
    import eventtracking_core as et

    et.register("quiz.opened", "A quiz was opened.", {"quiz_id": "Which one"})
    et.register("quiz.checked", "An answer was checked.", {
        "correct": "Whether it was right",
        "by.id": "Who answered",
        "by.email": "Their address",
    })
    et.register("quiz.closed", "A quiz was closed.")

    def test_opened():
        et.emit("quiz.opened", {"quiz_id": "q1"})

    def test_checked():
        et.emit("quiz.checked", {"correct": True})
        et.emit("quiz.checked", {"by": {"id": 7}})
        et.emit("quiz.unknown", {"by": {"id": 7}})
"""

REPORT = """\
2 of 3 event types and 3 of 4 fields were emitted
  quiz.checked: never with by.email
  quiz.closed: never emitted
"""


def test_what_was_emitted_is_told_without_any_fixture(run_pytest):
    done = run_pytest("--eventtracking-coverage", test_quiz=TESTS)

    assert done.returncode == 0, done.stdout
    assert "event coverage" in done.stdout
    assert REPORT in done.stdout


@pytest.mark.once
def test_processes_of_xdist_are_added_up(run_pytest):
    done = run_pytest("--eventtracking-coverage", "-p", "xdist", "-n", "2", test_quiz=TESTS)

    assert done.returncode == 0, done.stdout
    assert REPORT in done.stdout


def test_events_of_a_configured_tracker_still_arrive(run_pytest):
    done = run_pytest(
        "--eventtracking-coverage",
        test_quiz="""
            import eventtracking_core as et

            def test_quiz():
                et.configure({"backends": {"memory": "memory"}})
                et.emit("quiz.opened")
                memory = et.get_tracker().get_backend("memory")
                assert [event["name"] for event in memory.events] == ["quiz.opened"]
        """,
    )

    assert done.returncode == 0, done.stdout
    assert "0 of 0 event types and 0 of 0 fields were emitted" in done.stdout
