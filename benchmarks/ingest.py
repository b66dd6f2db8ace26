"""`eventtracking ingest` into SQLite beside a bare loop of a decoder in C and `executemany`.

`python -m benchmarks.ingest` writes a file of events, lines of ours or of an edX tracking log, and
runs whole programs on it, one after the other, in several rounds. The bare loop stores the same
columns in the same table, 5,000 rows a transaction, with our indexes and without. All rows must be
there afterwards. Figures are the least of all rounds.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from benchmarks.machine import machine
from benchmarks.reading import measured
from benchmarks.sample import CONTEXT, DATA, NAME
from eventtracking_core.encoding import encode_json
from eventtracking_core.events import new_id
from eventtracking_sqlite.backend import SqliteBackend

BATCH: Final = 5_000
USERS: Final = 5_000
KINDS: Final = ("ours", "edX")

_CONFIG: Final = '[backends.store]\ntype = "sqlite"\npath = "events.db"\n'
_TABLE: Final = """
CREATE TABLE events (id TEXT NOT NULL, name TEXT NOT NULL, timestamp TEXT NOT NULL, user_id TEXT,
    name_id TEXT, context_type_id TEXT, event TEXT NOT NULL)
"""
_OURS: Final = str(Path(sys.executable).with_name("eventtracking"))
_PROGRAM: Final = "from benchmarks.ingest import bare; bare({indexed})"
CONTESTANTS: Final = {
    "ours": [_OURS, "ingest", "events.log", "--config", "eventtracking.toml"],
    "bare loop, the same indexes": [sys.executable, "-c", _PROGRAM.format(indexed=True)],
    "bare loop, no index": [sys.executable, "-c", _PROGRAM.format(indexed=False)],
}


def bare(indexed: bool) -> None:  # noqa: FBT001  a program's only argument
    """Store the lines of `events.log` in `events.db`, as a script for the one purpose would."""
    if indexed:  # the table of an empty store
        store = SqliteBackend("events.db")
        store.send_batch([], timeout=60)
        store.shutdown(5)
    decode = msgspec.json.Decoder().decode
    rows: list[tuple[Any, ...]] = []
    with closing(sqlite3.connect("events.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = normal")
        if not indexed:
            database.execute(_TABLE)

        def store_rows() -> None:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            database.execute("COMMIT")
            rows.clear()

        with Path("events.log").open("rb") as file:
            for line in file:
                text = line[line.find(b"{") :].rstrip()
                event = decode(text)
                rows.append(
                    (
                        event.get("id") or sha256(text).hexdigest(),
                        event["name"],
                        event.get("timestamp") or event["time"],
                        str(event["context"]["user_id"]),
                        event.get("name_id"),
                        event.get("context_type_id"),
                        text.decode(),
                    )
                )
                if len(rows) == BATCH:
                    store_rows()
        store_rows()


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    rows = []
    with TemporaryDirectory(prefix="eventtracking-ingest-") as name:
        directory = Path(name)
        (directory / "eventtracking.toml").write_text(_CONFIG)
        for kind in KINDS:
            with (directory / "events.log").open("wb") as file:
                file.writelines(_lines(kind, options.events))
            least: dict[str, tuple[float, float]] = {}
            for _ in range(options.rounds):
                for contestant, command in CONTESTANTS.items():
                    wall, cpu = measured(command, directory)
                    _check(directory, options.events)
                    before = least.get(contestant, (wall, cpu))
                    least[contestant] = min(wall, before[0]), min(cpu, before[1])
            rows += [
                {"lines": kind, "contestant": contestant, "seconds": wall, "cpu": cpu}
                for contestant, (wall, cpu) in least.items()
            ]
    if options.json:
        print(json.dumps({"machine": machine(), "events": options.events, "rows": rows}, indent=2))
        return
    print(f"{options.events:,} lines, least of {options.rounds}, whole programs:\n")
    print("| lines | with | seconds | of the processor |\n| --- | --- | --- | --- |")
    for row in rows:
        print("| {lines} | {contestant} | {seconds:.2f} | {cpu:.2f} |".format(**row))


def _lines(kind: str, number: int) -> Iterator[bytes]:
    start = datetime(2026, 9, 1, tzinfo=UTC)
    for index in range(number):
        context = CONTEXT | {"user_id": index % USERS}
        time = start + timedelta(milliseconds=37 * index)
        if kind == "ours":
            line = encode_json(
                {"id": new_id(), "name": NAME, "timestamp": time, "context": context, "data": DATA}
            )
        else:
            record = {"name": NAME, "context": context, "event": DATA, "time": time.isoformat()}
            record |= {"event_type": NAME, "event_source": "server", "page": None, "referer": ""}
            line = f"{time:%Y-%m-%d %H:%M:%S} INFO 20 [tracking] - {json.dumps(record)}".encode()
        yield line + b"\n"


def _check(directory: Path, expected: int) -> None:
    """Count the rows, and remove the database.

    Raises:
        ValueError: some are missing.
    """
    with closing(sqlite3.connect(directory / "events.db")) as database:
        (stored,) = database.execute("SELECT count(*) FROM events").fetchone()
    for path in directory.glob("events.db*"):
        path.unlink()
    if stored != expected:
        raise ValueError(f"{stored:,} of {expected:,} events are stored")


if __name__ == "__main__":
    main()
