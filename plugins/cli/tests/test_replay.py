"""`replay` sends stored events once more: all, some, to one backend, after an interruption."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest
from waiting import DEADLINE

from eventtracking_core.encoding import encode_json
from eventtracking_core.registry import EventType, FieldDoc
from eventtracking_sqlite import SqliteBackend

NOON = datetime(2026, 9, 12, 12, tzinfo=UTC)
TWO = """
[backends.a]
type = "sqlite"
path = "a.db"
[backends.b]
processors = [{ type = "redact", fields = ["data.n"] }]
[backends.b.backends.c]
type = "sqlite"
path = "c.db"
delivery = { mode = "queue", max_queue_size = 64, max_batch_size = 50 }
"""


def numbered(count, start=0):
    return [
        {
            "id": f"{number:036}",
            "name": "even" if number % 2 == 0 else "odd",
            "timestamp": NOON + timedelta(seconds=number),
            "context": {"user_id": number % 3},
            "data": {"n": number},
        }
        for number in range(start, start + count)
    ]


@pytest.fixture
def source(tmp_path):
    """Makes a store with as many events as asked for."""

    def make(count, path="source.db"):
        store = SqliteBackend(str(tmp_path / path))
        store.send_batch(numbered(count), timeout=50)
        store.shutdown(5)
        return str(tmp_path / path)

    return make


def stored(path):
    return [event["data"]["n"] for event in SqliteBackend(path).query(after="")]


def test_all_events_go_through_the_tree_once(run, config, source):
    database = source(200)
    for _ in range(2):
        ran = run("replay", "--from", database, "--config", config(TWO), "--json")
        assert ran.code == 0, ran.err
        assert ran.json["events"] == 200
        assert ran.json["delivered"] == {"a": 200, "b.c": 200}
    assert stored("a.db") == list(range(200))
    assert {str(event["data"]) for event in SqliteBackend("c.db").query()} == {"{}"}
    assert not list(Path().glob("*.json"))


def test_only_one_backend_gets_them_as_they_are(run, config, source):
    ran = run("replay", "--from", source(200), "--config", config(TWO), "--to", "b.c")
    assert ran.code == 0, ran.err
    assert "200 events replayed" in ran.out
    assert stored("c.db") == list(range(200))
    assert not Path("a.db").exists()


def test_a_backend_that_takes_json_gets_the_text_of_the_store(run, config, source):
    """Also where another program wrote it; what is no event in normal form becomes one."""
    path = source(3)
    event = numbered(1)[0] | {"id": "a", "timestamp": "2026-09-12T12:00:00Z"}
    spaced = json.dumps(event).replace('"n": 0', '"n": 1e0')
    with closing(sqlite3.connect(path)) as database, database:
        for event_id, text in {"a": spaced, "b": '{"id":"b","data":{"n":7}}'}.items():
            row = (event_id, "n", "2026-09-12T12:00:00.000000Z", text)
            database.execute(
                "INSERT INTO events (id, name, timestamp, event) VALUES (?,?,?,?)", row
            )
    ran = run("replay", "--from", path, "--config", config(TWO), "--to", "b.c")
    assert ran.code == 0, ran.err
    assert stored("c.db") == [0, 1, 2, 1.0, 7]
    with closing(sqlite3.connect("c.db")) as database:
        texts = dict(database.execute("SELECT id, event FROM events"))
    assert texts["a"] == spaced


def test_a_backend_that_is_not_there_is_named_with_those_that_are(run, config, source):
    ran = run("replay", "--from", source(1), "--config", config(TWO), "--to", "c")
    assert ran.code == 2
    assert "there are: a, b.c" in ran.err


def test_filters_choose(run, config, source):
    options = ("--name", "odd", "--where", "data.n=7", "--since", "2026-09-12T12:00:07Z")
    ran = run("replay", "--from", source(20), "--config", config(TWO), *options, "--to", "a")
    assert ran.code == 0, ran.err
    assert stored("a.db") == [7]


def test_a_dry_run_sends_nothing(run, config, source):
    ran = run("replay", "--from", source(20), "--config", config(TWO), "--name", "odd", "--dry-run")
    assert (ran.code, ran.out) == (0, "10 events would be replayed\n")
    assert not Path("a.db").exists()


def test_files_are_a_source_too(run, config, tmp_path):
    paths = []
    for index in range(2):
        path = tmp_path / f"{index}.ndjson"
        path.write_bytes(b"\n".join(map(encode_json, numbered(100, 100 * index))) + b"\nno event\n")
        paths += ["--from", path]
    ran = run("replay", *paths, "--config", config(TWO), "--to", "a", "--json")
    assert ran.json["events"] == 200
    assert stored("a.db") == list(range(200))


def test_records_of_event_types_go_along(run, config, source):
    database = source(0)
    record = EventType(name="even", fields=(FieldDoc("n", "a number"),))
    SqliteBackend(database).save_event_type(record)
    SqliteBackend(database).send(numbered(1)[0] | {"name_id": record.id})
    assert run("replay", "--from", database, "--config", config(TWO)).code == 0
    assert [found.id for found in SqliteBackend("a.db").load_event_types()] == [record.id]


def test_what_goes_on_begins_after_what_was_delivered(run, config, source):
    state = Path("state.json")
    options = ("--from", source(20), "--config", config(TWO), "--to", "a", "--state", state)
    state.write_text(json.dumps({"events": 15, "last": f"{14:036}"}))
    assert "5 events would be replayed (15 were before)" in run("replay", *options, "--dry-run").out
    assert "5 events replayed (15 before)" in run("replay", *options).out
    assert stored("a.db") == list(range(15, 20))
    state.write_text(json.dumps({"events": 15, "last": f"{14:036}", "options": "others"}))
    assert "belongs to a replay with other options" in run("replay", *options).err
    assert "20 events replayed" in run("replay", *options, "--restart").out
    assert stored("a.db") == [*range(15, 20), *range(15)]


def test_a_relative_time_means_what_it_meant_before_the_interruption(run, config, source):
    state = Path("state.json")
    options = ("--from", source(20), "--config", config(TWO), "--to", "a", "--state", state)
    since = (NOON + timedelta(seconds=2)).isoformat()
    state.write_text(json.dumps({"events": 13, "last": f"{14:036}", "since": since}))
    assert "5 events replayed (13 before)" in run("replay", *options, "--since", "1s").out


def test_files_that_changed_are_not_gone_on_with(run, config):
    Path("events.ndjson").write_bytes(b"\n".join(map(encode_json, numbered(20, 5))))
    Path("state.json").write_text(json.dumps({"events": 15, "last": f"{14:036}"}))
    options = ("--from", "events.ndjson", "--config", config(TWO), "--state", "state.json")
    ran = run("replay", *options)
    assert ran.code == 1
    assert "--restart" in ran.err
    assert "20 events replayed" in run("replay", *options, "--restart").out


def test_the_state_of_something_else_is_left_alone(run, config, source):
    Path("state.json").write_text("{}")
    ran = run("replay", "--from", source(1), "--config", config(TWO), "--state", "state.json")
    assert ran.code == 1
    assert "not the state of a replay" in ran.err
    assert Path("state.json").read_text() == "{}"


def test_a_damaged_event_of_a_store_is_an_error_and_no_traceback(run, config, source):
    database = source(3)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE events SET event = 'no event' WHERE name = 'odd'")
    replay = ("replay", "--from", database, "--config", config(TWO))
    for command in (replay, (*replay, "--to", "a"), ("events", "list", "--from", database)):
        ran = run(*command)
        assert ran.code == 1
        assert "Error: a stored event is damaged: JSON is malformed" in ran.err


def test_an_event_that_is_lost_is_a_failure(run, config, source):
    text = '[backends.a]\ntype = "sqlite"\npath = "/proc/events.db"\n'
    ran = run("replay", "--from", source(3), "--config", config(text))
    assert ran.code == 1


@pytest.mark.once
def test_on_a_terminal_there_is_a_bar(program, config, source, on_a_terminal):
    command = [program.path, "replay", "--from", source(6000), "--config", config(TWO), "--to", "a"]
    written = on_a_terminal(command)
    assert "replaying" in written
    assert "/6000" in written
    assert "6,000 events replayed" in written


@pytest.mark.once
def test_what_was_killed_twice_goes_on_and_repeats_little(program, run, config, source):
    database, file = source(12_000), config('[backends.a]\ntype = "file"\npath = "a.ndjson"\n')
    command = [program.path, "replay", "--from", database, "--config", file]
    for _ in range(2):
        before = _lines()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = monotonic() + DEADLINE
        while _lines() < before + 1000 and process.poll() is None and monotonic() < deadline:
            sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    last = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert last.returncode == 0, last.stderr
    # A kill may leave part of a line, which readers skip; its event was written again.
    read = run("events", "list", "--from", "a.ndjson", "--limit", "0", "--json").events
    numbers = [event["data"]["n"] for event in read]
    assert set(numbers) == set(range(12_000))
    assert len(numbers) <= 12_000 + 2 * 5000


def _lines():
    try:
        return Path("a.ndjson").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def test_a_file_without_a_line_that_is_an_event_is_no_success(run, config, tmp_path):
    (tmp_path / "notes.txt").write_text("one\ntwo\n")
    for options in ([], ["--dry-run"]):
        ran = run("replay", "--from", "notes.txt", "--config", config(TWO), *options)
        assert ran.code == 1
        assert ran.err == "Error: notes.txt: 2 lines read, and none is an event\n"
