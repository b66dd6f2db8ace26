"""A replay from SQLite into PostgreSQL that is killed stores each event once."""

from __future__ import annotations

import signal
import subprocess
import sysconfig
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest
from postgres_server import Postgres

from eventtracking_core.encoding import encode_json
from eventtracking_postgres import PostgresBackend
from eventtracking_sqlite import SqliteBackend

PROGRAM = Path(sysconfig.get_path("scripts"), "eventtracking")
TIMEOUT = 300.0


def test_a_replay_that_is_killed_twice_is_exact(tmp_path: Path, postgres: Postgres) -> None:
    check(tmp_path, postgres, 20_000)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_replay_of_200_000_events_that_is_killed_twice_is_exact(
    tmp_path: Path, postgres: Postgres
) -> None:
    check(tmp_path, postgres, 200_000)


def check(directory: Path, postgres: Postgres, number: int) -> None:
    source = SqliteBackend(str(directory / "source.db"))
    for start in range(0, number, 10_000):
        source.send_batch([_event(n) for n in range(start, start + 10_000)], timeout=60)
    source.shutdown(5)
    config = directory / "eventtracking.toml"
    config.write_text(
        f'[backends.store]\ntype = "postgres"\nuri = "{postgres.uri}"\ntable = "replayed"\n'
    )
    command = [PROGRAM, "replay", "--from", directory / "source.db", "--config", config]
    try:
        for killed in (1, 2):
            _kill_when(
                command, directory, lambda killed=killed: _count(postgres) > number * killed / 3
            )
            assert _count(postgres) < number
        subprocess.run(command, cwd=directory, timeout=TIMEOUT, check=True, capture_output=True)
        stored = PostgresBackend(postgres.uri, "replayed").query(after="")
        assert [encode_json(event) for event in source.query(after="")] == [
            encode_json(_in_order(event)) for event in stored
        ]
    finally:
        with psycopg.connect(postgres.uri, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS replayed")


def _event(number: int) -> Any:
    return {
        "id": f"{number:036}",
        "name": "numbered",
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
        "context": {"user_id": number % 100},
        "data": {"n": number},
    }


def _in_order(event: Any) -> Any:
    return {key: event[key] for key in ("id", "name", "timestamp", "context", "data")}


def _kill_when(command: list[Any], directory: Path, condition: Callable[[], bool]) -> None:
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL)
    try:
        deadline = monotonic() + TIMEOUT
        while not condition():
            assert process.poll() is None, "the replay ended by itself"
            assert monotonic() < deadline
            sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _count(postgres: Postgres) -> int:
    with psycopg.connect(postgres.uri, autocommit=True) as connection:
        try:
            found = connection.execute("SELECT count(*) FROM replayed").fetchone()
        except psycopg.errors.UndefinedTable:
            return 0
    return found[0] if found else 0
