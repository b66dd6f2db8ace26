"""Where `eventtracking events` reads: stores, files, configurations; and what is none of them."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess

import pytest
from waiting import DEADLINE


@pytest.mark.parametrize("form", ["ndjson", "gzip", "edx", "standard input"])
def test_files_of_events_are_read_as_a_store_is(run, program, log, edx, form):
    path = log(*[edx(name=name) for name in ("a", "b", "b")], "no event", edx(name="c"))
    if form == "ndjson":
        assert run("ingest", path, "--config", config_for(path.parent)).code == 0
        path = path.parent / "stored.ndjson"
    elif form == "gzip":
        path.write_bytes(gzip.compress(path.read_bytes()))
    command = ["events", "count", "--by", "name", "--json", "--from"]
    if form == "standard input":
        ran = program(*command, "-", input=path.read_bytes())
    else:
        ran = run(*command, path)
    counts = {row["name"]: row["count"] for row in ran.json}
    assert counts == {"a": 1, "b": 2, "c": 1}
    assert ("1 line was no event" in ran.err) == (form != "ndjson")


def config_for(directory):
    path = directory / "file.toml"
    path.write_text(f'[backends.a]\ntype = "file"\npath = "{directory}/stored.ndjson"\n')
    return path


def test_several_files_are_read_as_one(run, log, edx, store):
    logs = [log(edx(name=name), name=f"{name}.log") for name in ("a", "b")]
    both = [option for path in logs for option in ("--from", path)]
    names = [event["name"] for event in run("events", "list", "--json", *both).events]
    assert sorted(names) == ["a", "b"]
    ran = run("events", "list", *both, "--from", store)
    assert (ran.code, ran.err) == (1, "Error: several sources must all be files of events\n")


def test_following_a_file_prints_the_lines_that_are_added(log, edx, program):
    path = log(edx(name="a"))
    command = [program.path, "events", "tail", "--follow", "--from", path, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail:
        assert json.loads(tail.stdout.readline())["name"] == "a"
        for name in ("b", "c"):
            with path.open("a") as file:
                file.write(json.dumps(edx(name=name)) + "\n")
            assert json.loads(tail.stdout.readline())["name"] == name
        tail.send_signal(signal.SIGINT)
        assert tail.wait(DEADLINE) == 130


def test_following_prints_what_is_stored_from_now_on(run, store, config, program):
    command = [
        program.path,
        "events",
        "tail",
        "--follow",
        "--from",
        store,
        "--limit",
        "1",
        "--json",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as tail:
        assert json.loads(tail.stdout.readline())["name"].startswith("edx.video.")
        for name in ("first", "second"):
            assert run("emit", name, "--config", config()).code == 0
            assert json.loads(tail.stdout.readline())["name"] == name
        tail.send_signal(signal.SIGINT)
        assert tail.wait(DEADLINE) == 130
        assert tail.stdout.read() + tail.stderr.read().strip() == ""


def test_the_store_may_be_the_configurations(run, store, config):
    assert run("events", "count", "--config", config()).out == "6\n"
    routed = '[backends.a]\n[backends.a.backends.b]\ntype = "sqlite"\npath = "events.db"\n'
    assert run("events", "count", "--config", config(routed)).out == "6\n"


def test_a_configuration_without_a_store_is_refused(run, config):
    ran = run("events", "count", "--config", config('[backends.a]\ntype = "null"\n'))
    assert ran.code == 1
    assert "with --from" in ran.err


def test_what_cannot_be_read_is_a_line_not_a_traceback(run, config, tmp_path):
    (tmp_path / "foreign.db").write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)
    for verb in ("list", "count", "tail"):
        ran = run("events", verb, "--from", "foreign.db")
        assert (ran.code, "Traceback" in ran.err) == (1, False)
        assert run("events", verb, "--from", "missing.db").err == (
            "Error: missing.db: No such file or directory\n"
        )
    ran = run("events", "list", "--config", config())  # nothing was stored yet
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert not (tmp_path / "events.db").exists()


@pytest.mark.parametrize(
    ("verb", "out"),
    [
        (["list"], ""),
        (["count"], ""),
        (["count", "--by", "name"], ""),
        (["count", "--by", "hour"], ""),
        (["show", "01"], ""),
        (["tail"], ""),
        (["export"], ""),
        (["export", "-o", "out.csv"], ""),
    ],
)
def test_a_file_without_a_line_that_is_an_event_is_no_file_of_events(run, tmp_path, verb, out):
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\n\xff\n")
    ran = run("events", *verb, "--from", "picture.png")
    assert (ran.code, ran.out) == (1, out)
    assert ran.err.splitlines()[0] == "Error: picture.png: 2 lines read, and none is an event"
    assert not (tmp_path / "out.csv").exists()


def test_an_empty_file_has_no_events_and_is_no_mistake(run, tmp_path):
    (tmp_path / "empty.log").touch()
    assert run("events", "list", "--from", "empty.log").code == 0
    assert run("events", "count", "--from", "empty.log").out == "0\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "a source needs a name"),
        ("nope://x", "no store has an address that begins with nope://; known: abfs://, "),
        ("S3://bucket", "no store has an address that begins with S3://"),
        ("mongodb://", "mongodb://…: uri must have the form mongodb://"),
        ("mongodb://a secret:b@", "mongodb://…: "),
        ("clickhouse://", "clickhouse://…: uri must have the form clickhouse://"),
        ("s3://", "s3://…: uri and options do not make a store"),
        ("foreign.db", "foreign.db: the file is not an SQLite database"),
    ],
)
def test_what_is_no_source_is_said_by_its_name_and_without_its_password(
    run, tmp_path, source, message
):
    (tmp_path / "foreign.db").write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)
    ran = run("events", "count", "--from", source)
    assert ran.code == 1
    assert ran.err.startswith(f"Error: {message}")
    assert ran.err.count("\n") == 1
    assert "secret" not in ran.err


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("clickhouse://127.0.0.1:1/x", "ClickHouse: the connection failed, or took too long"),
        ("postgresql://127.0.0.1:1/x", "PostgreSQL: connection refused; check host and port"),
    ],
)
def test_a_server_that_cannot_be_reached_is_one_line(program, address, message):
    ran = program("events", "count", "--from", address)
    assert ran.code == 1
    assert ran.err.startswith(f"Error: {message}")
    assert ran.err.count("\n") == 1


def test_without_a_source_the_options_that_name_one_are_said(run):
    ran = run("events", "list")
    assert (ran.code, ran.out) == (1, "")
    assert "--from" in ran.err
    assert "--config" in ran.err
