"""P29: in a program that closes all descriptors, nothing is lost and no file of its own touched."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

pytestmark = pytest.mark.once

PROGRAM = """
    import os, sys
    import eventtracking_core as et

    mode, limit = sys.argv[1], int(sys.argv[2])
    delivery = {"mode": mode, "schedule_delay": 0.01, "directory": "spool"}
    if mode == "inline":
        delivery = mode
    type_name, path = sys.argv[3:5]
    backend = {"type": type_name, "path": path, "delivery": delivery}
    et.configure({"shutdown_timeout": 60, "backends": {"sink": backend}})
    for _ in range(20):
        et.emit("before")
    assert et.get_tracker().flush(60)
    os.closerange(3, limit)
    files = [open(f"{number}.txt", "w+") for number in range(50)]
    for file in files:
        file.write("precious")
        file.flush()
    for _ in range(20):
        et.emit("after")
    assert et.get_tracker().flush(60)
    et.emit("after")
    assert et.get_tracker().shutdown(60)
    for file in files:
        file.seek(0)
        assert file.read() == "precious"
        file.close()
"""


@pytest.mark.parametrize("limit", ["256", "1024", "65536"])
@pytest.mark.parametrize("mode", ["inline", "queue", "spool"])
def test_a_daemon_that_closes_descriptors_keeps_its_events_and_its_files(
    mode, limit, program, names
):
    program(PROGRAM, mode, limit, "file", "events.ndjson")
    assert names() == {"before": 20, "after": 21}


@pytest.mark.parametrize("limit", ["256", "1024", "65536"])
@pytest.mark.parametrize("mode", ["inline", "queue", "spool"])
@pytest.mark.parametrize(
    "before", ["", "os.fork() and (os.wait(), os._exit(0))"], ids=["", "forked"]
)
def test_a_database_is_opened_again_by_a_daemon_that_closed_it(
    before, mode, limit, program, tmp_path
):
    close = "os.closerange(3, limit)"
    program(PROGRAM.replace(close, f"{before}\n    {close}"), mode, limit, "sqlite", "events.db")
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        counts = connection.execute("SELECT name, count(*) FROM events GROUP BY name").fetchall()
        assert dict(counts) == {"before": 20, "after": 21}
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


REUSED = """
    import os
    import eventtracking_core as et

    sink = {"type": "sqlite", "path": "events.db"}
    et.configure({"backends": {"sink": sink}})
    et.emit("before")
    links = {number: f"/dev/fd/{number}" for number in os.listdir("/dev/fd")}
    numbers = [n for n, link in links.items() if "events.db" in os.path.realpath(link)]
    assert len(numbers) == 3
    file = open("own.txt", "w")
    file.write("precious")
    file.flush()
    for number in numbers:
        os.dup2(file.fileno(), int(number))
    for _ in range(20):
        et.emit("after")
    et.get_tracker().shutdown(5)
"""


def test_what_has_the_numbers_of_a_database_is_not_written_to(program, tmp_path):
    program(REUSED)
    assert (tmp_path / "own.txt").read_text() == "precious"
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
