"""Look at stored events with our command line, sqlite-utils and DuckDB.

`python -m benchmarks.reading` writes a million events into an SQLite database and a file of NDJSON,
and runs whole programs on them, one after the other, in several rounds. Figures are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from benchmarks.machine import machine
from eventtracking_core import Event
from eventtracking_core.encoding import encode_json
from eventtracking_core.events import new_id
from eventtracking_sqlite.backend import SqliteBackend

OURS: Final = "ours"
SQLITE_UTILS: Final = "sqlite-utils"
DUCKDB: Final = "DuckDB"
BATCH: Final = 5_000
MINUTES: Final = 20

_FIELD: Final = "json_extract(event, '$.data.problem_id')"
_BY_FIELD: Final = f"SELECT {_FIELD} AS v, count(*) FROM events GROUP BY v ORDER BY 2 DESC LIMIT 20"
_BY_NAME: Final = "SELECT name, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
_LATEST: Final = "SELECT event FROM events ORDER BY timestamp DESC, id DESC LIMIT 100"
_EVENTS: Final = "read_ndjson('events.ndjson')"
_DUCK: Final = "import duckdb, sys; print(duckdb.sql(sys.argv[1]))"


def _ours(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("eventtracking")), *arguments]


def _sqlite_utils(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sqlite_utils", *arguments]


def _duckdb(statement: str) -> list[str]:
    return [sys.executable, "-c", _DUCK, statement]


TASKS: Final = {
    "list the latest 100, SQLite": {
        OURS: _ours("events", "list", "--json", "--from", "events.db"),
        SQLITE_UTILS: _sqlite_utils("query", "events.db", _LATEST),
    },
    "count --by name, SQLite": {
        OURS: _ours("events", "count", "--by", "name", "--from", "events.db"),
        SQLITE_UTILS: _sqlite_utils("query", "events.db", _BY_NAME),
    },
    "count --by data.problem_id, SQLite": {
        OURS: _ours("events", "count", "--by", "data.problem_id", "--from", "events.db"),
        SQLITE_UTILS: _sqlite_utils("query", "events.db", _BY_FIELD),
    },
    # sqlite-utils writes the table's rows; ours the events, in CSV with a column for each field.
    "export to NDJSON, SQLite": {
        OURS: _ours("events", "export", "--from", "events.db", "-o", "ours.ndjson"),
        SQLITE_UTILS: _sqlite_utils("rows", "events.db", "events", "--nl"),
    },
    "export to CSV, SQLite": {
        OURS: _ours("events", "export", "--from", "events.db", "-o", "ours.csv"),
        SQLITE_UTILS: _sqlite_utils("rows", "events.db", "events", "--csv"),
    },
    "count --by name, NDJSON": {
        OURS: _ours("events", "count", "--by", "name", "--from", "events.ndjson"),
        DUCKDB: _duckdb(f"SELECT name, count(*) FROM {_EVENTS} GROUP BY 1 ORDER BY 2 DESC"),
    },
    "count --by data.problem_id, NDJSON": {
        OURS: _ours("events", "count", "--by", "data.problem_id", "--from", "events.ndjson"),
        DUCKDB: _duckdb(f"SELECT data.problem_id, count(*) FROM {_EVENTS} GROUP BY 1 ORDER BY 2"),
    },
    "catalog build, SQLite": {
        OURS: _ours("catalog", "build", "--from", "events.db", "-o", "catalog"),
    },
}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="eventtracking-reading-") as name:
        directory = Path(name)
        _write(directory, options.events)
        samples: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for _ in range(options.rounds):
            for task, contestants in TASKS.items():
                for contestant, command in contestants.items():
                    run = measured(command, directory)
                    samples.setdefault((task, contestant), []).append(run)
    rows = [
        {
            "task": task,
            "contestant": contestant,
            "seconds": median(wall for wall, _ in runs),
            "cpu": median(cpu for _, cpu in runs),
        }
        for (task, contestant), runs in samples.items()
    ]
    if options.json:
        print(json.dumps({"machine": machine(), "events": options.events, "rows": rows}, indent=2))
        return
    print(f"{options.events:,} events, median of {options.rounds}, whole programs:\n")
    print("| task | with | seconds | of the processor |\n| --- | --- | --- | --- |")
    for row in rows:
        print("| {task} | {contestant} | {seconds:.2f} | {cpu:.2f} |".format(**row))


def _write(directory: Path, number: int) -> None:
    store = SqliteBackend(str(directory / "events.db"))
    batch: list[Event] = []
    with (directory / "events.ndjson").open("wb") as file:
        for event in _events(number):
            file.write(encode_json(event) + b"\n")
            batch.append(event)
            if len(batch) == BATCH:
                store.send_batch(batch, timeout=60)
                batch.clear()
    if batch:
        store.send_batch(batch, timeout=60)
    store.shutdown(5)


def _events(number: int) -> Iterator[Event]:
    chance = random.Random(1)
    start = datetime(2026, 9, 1, tzinfo=UTC)
    for index in range(number):
        yield {
            "id": new_id(),
            "name": f"edx.area{index % 8}.thing{chance.randrange(5)}.done",
            "timestamp": start + timedelta(seconds=index),
            "context": {"user_id": chance.randrange(5000), "course_id": f"c{index % 20}"},
            "data": {
                "problem_id": f"p{chance.randrange(500)}",
                "attempts": chance.randrange(9),
                "correct": chance.random() < 0.6,  # noqa: PLR2004
            },
        }


def measured(command: list[str], directory: Path) -> tuple[float, float]:
    """Return the seconds that a program took, and those of the processor."""
    before = os.times()
    start = perf_counter()
    subprocess.run(
        command,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60 * MINUTES,
        check=True,
    )
    wall, after = perf_counter() - start, os.times()
    used = after.children_user + after.children_system
    return wall, used - before.children_user - before.children_system


if __name__ == "__main__":
    main()
