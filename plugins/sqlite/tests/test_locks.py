"""A process keeps the lock that tells others that it has a database open."""

from __future__ import annotations

import subprocess
import sys

import pytest

from eventtracking_sqlite import SqliteBackend

# As SQLite locks the file to find out, as it closes a database, whether another process has it.
TRY = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
    except OSError:
        print("locked")
"""


@pytest.fixture
def database(tmp_path):
    return str(tmp_path / "events.db")


@pytest.fixture
def is_locked(database):
    def is_locked():
        ran = subprocess.run(
            [sys.executable, "-c", TRY, database], capture_output=True, text=True, check=True
        )
        return ran.stdout == "locked\n"

    return is_locked


@pytest.fixture
def first(database, an_event):
    backend = SqliteBackend(database)
    backend.send(an_event())
    yield backend
    backend.shutdown(5)


def test_a_second_backend_of_the_process_leaves_the_lock(first, database, an_event, is_locked):
    assert is_locked()
    second = SqliteBackend(database)
    second.send(an_event())
    assert is_locked()
    second.shutdown(5)
    assert is_locked()
    first.shutdown(5)
    assert not is_locked()


def test_a_probe_leaves_the_lock(first, is_locked):
    assert "is writable" in first.probe(5)
    assert is_locked()


def test_nothing_but_the_database_is_left_where_it_was_created(first, tmp_path):
    first.shutdown(5)
    assert [path.name for path in tmp_path.iterdir()] == ["events.db"]


def test_a_link_that_leads_nowhere_leads_to_the_database_then(tmp_path, an_event):
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "events.db")
    backend = SqliteBackend(str(link))
    backend.send(an_event())
    backend.shutdown(5)
    assert link.is_symlink()
    assert (tmp_path / "events.db").stat().st_mode & 0o777 == 0o600
