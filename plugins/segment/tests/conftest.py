"""Events, and a backend that sends them to a Segment of the test's own."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from eventtracking_core.events import new_id
from eventtracking_segment import SegmentBackend


@pytest.fixture(scope="session")
def an_event():
    """Makes events."""

    def make(name="edx.problem.check", *, size=0, **context):
        return {
            "id": new_id(),
            "name": name,
            "timestamp": datetime(2026, 9, 12, 12, 55, 0, 123450, UTC),
            "context": {"user_id": 10938} | context,
            "data": {"problem_id": "p1" + "x" * size},
        }

    return make


@pytest.fixture
def a_backend(segment):
    """Makes backends that send to the test's Segment."""
    made = []

    def make(**options):
        made.append(SegmentBackend(segment.write_key, segment.host, **options))
        return made[-1]

    yield make
    for backend in made:
        backend.shutdown(1)


@pytest.fixture
def backend(a_backend):
    return a_backend()


@pytest.fixture
def python(segment):
    """Runs a script in a process of its own; Segment's address and key are its arguments."""

    def run(script):
        command = [sys.executable, "-c", script, segment.host, segment.write_key]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
