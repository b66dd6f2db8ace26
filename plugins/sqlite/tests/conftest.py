"""A store, and events to put into it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest
from waiting import DEADLINE

from eventtracking_core.events import new_id
from eventtracking_sqlite import SqliteBackend


@pytest.fixture(scope="session")
def an_event():
    """Makes events."""

    def make(name="edx.problem.check", *, user_id=None, at=None, **fields):
        context = {} if user_id is None else {"user_id": user_id}
        timestamp = at or datetime(2026, 9, 12, 12, 55, 0, 123450, UTC)
        event = {"id": new_id(), "name": name, "timestamp": timestamp}
        return event | {"context": context, "data": {"problem_id": "p1"}} | fields

    return make


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store" / "events.db"


@pytest.fixture
def store(path):
    backend = SqliteBackend(str(path), busy_timeout=0.1)
    yield backend
    backend.shutdown(5)


@pytest.fixture
def sql(path):
    """Runs a statement on the store, as any other program might."""

    def run(statement, *values):
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()

    return run


@pytest.fixture
def python(path):
    """Runs a script in a process of its own; the store's path is its argument."""

    def run(script, *arguments):
        command = [sys.executable, "-c", script, str(path), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
