"""`eventtracking events`: finding what was stored."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len
from waiting import DEADLINE


@pytest.fixture
def store(run, log, config):
    """Six events in a store: two names, two users, two hours."""
    now = datetime.now(UTC)
    lines = [
        {
            "name": f"edx.video.{name}",
            "timestamp": (now - timedelta(hours=ago)).isoformat(),
            "context": {"user_id": user},
            "data": {"text": "[bold]\u202e\x1b[31m"},
        }
        for ago, name, user in [
            (0, "played", 1),
            (0, "paused", 1),
            (1, "played", 2),
            (30, "played", 1),
            (31, "played", 2),
            (32, "[bold]\x1b[31m", 2),
        ]
    ]
    assert run("ingest", log(*lines), "--config", config()).code == 0
    return "events.db"


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ([], 6),
        (["--name", "edx.video.p*"], 5),
        (["--name", "*.paused"], 1),
        (["--user", "2"], 3),
        (["--since", "2h"], 3),
        (["--since", "90m"], 3),
        (["--until", "1d"], 3),
        (["--since", "2d", "--until", "2h", "--user", "2"], 2),
        (["--since", "1w", "--until", "now"], 6),
        (["--where", "context.user_id=2"], 3),
        (["--where", "user=2", "--where", "name=edx.video.played"], 2),
        (["--where", "data.nothing=null", "--user", "1"], 3),
        (["--where", "data.nothing=1"], 0),
        (["--since", "2020-01-01", "--until", "2020-01-02T10:00:00+02:00"], 0),
    ],
)
def test_events_are_chosen_by_name_time_and_user(run, store, options, number):
    assert run("events", "count", "--from", store, *options).out == f"{number}\n"
    assert run("events", "count", "--from", store, *options, "--json").json == {"count": number}
    lines = run("events", "list", "--from", store, *options).out.splitlines()
    assert len(lines[1:]) == number


def test_events_are_listed_newest_first(run, store):
    events = run("events", "list", "--from", store, "--limit", "4", "--json").events
    times = [event["timestamp"] for event in events]
    assert times == sorted(times, reverse=True)
    assert len(times) == 4


def test_a_listed_event_is_a_line_that_cannot_act_on_the_terminal(run, store):
    out = run("events", "list", "--from", store).out
    assert len(out.splitlines()) == 1 + 6
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "edx.video.[bold]\\x1b[31m" in out


def test_one_event_is_shown_whole(run, store):
    [listed] = run("events", "list", "--from", store, "--limit", "1", "--json").events
    ran = run("events", "show", listed["id"], "--from", store)
    assert ran.json == listed
    assert "\x1b" not in ran.out
    assert len(ran.out.splitlines()) > 5
    assert run("events", "show", listed["id"], "--from", store, "--json").events == [listed]


def test_an_event_that_is_not_there_is_said_to_be(run, store):
    ran = run("events", "show", "no\x1bsuch", "--from", store)
    assert ran.code == 1
    assert ran.err == "Error: no event no\\x1bsuch\n"


def test_events_are_counted_by_name(run, store):
    rows = run("events", "count", "--from", store, "--by", "name", "--json").json
    assert rows[0] == {"name": "edx.video.played", "count": 4}
    out = run("events", "count", "--from", store, "--by", "name").out
    assert "edx.video.played" in out.splitlines()[0]
    assert "█" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("period", ["minute", "hour", "day", "week"])
def test_events_are_counted_over_time(run, store, period):
    rows = run("events", "count", "--from", store, "--by", period, "--json").json
    assert sum(row["count"] for row in rows) == 6
    assert all(row[period].endswith(":00Z") for row in rows)
    out = run("events", "count", "--from", store, "--by", period).out
    assert "█" in out
    assert f"by {period}" in out
    assert max(map(len, out.splitlines())) <= 80


def test_events_are_counted_by_any_field(run, store):
    for field in ("user", "context.user_id"):
        rows = run("events", "count", "--from", store, "--by", field, "--json").json
        assert rows == [{field: "1", "count": 3}, {field: "2", "count": 3}]
    ran = run("events", "count", "--from", store, "--by", "name", "--limit", "1")
    assert len(ran.out.splitlines()) == 1
    assert "1 of 3 values shown; --limit 0 shows all" in ran.err
    assert "-" in run("events", "count", "--from", store, "--by", "data.nothing").out


@pytest.mark.parametrize("option", [["--by", "what"], ["--where", "what=1"], ["--where", "name"]])
def test_what_is_no_field_is_wrong_usage(run, store, option):
    assert run("events", "count", "--from", store, *option).code == 2


def test_a_list_fits_its_terminal(run, store, monkeypatch):
    for width in (60, 80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        header, *lines = run("events", "list", "--from", store).out.splitlines()
        assert header.split() == ["time", "id", "name", "user", "data"]
        assert max(map(cell_len, lines)) <= width
        assert all('{"text"' in line for line in lines) or width < 80
        assert any("eo.played" in line for line in lines)
    wide = run("events", "list", "--from", store, "--wide").out.splitlines()[1:]
    events = run("events", "list", "--from", store, "--json").events
    for line, event in zip(wide, events, strict=True):
        assert line.startswith(f"{event['timestamp'][:19]}Z  {event['id']}  ")
        assert line.endswith('\\u202e\\u001b[31m"}')


def test_it_says_how_many_events_are_not_shown(run, store):
    assert (
        "2 of 6 events shown; --limit 0"
        in run("events", "list", "--from", store, "--limit", "2").err
    )
    ran = run("events", "list", "--from", store, "--limit", "0", "--json")
    assert (len(ran.events), ran.err) == (6, "")
    assert run("events", "list", "--from", store, "--limit", "6").err == ""
    assert run("events", "list", "--from", store, "--user", "9").err == "no events\n"


def test_an_event_is_shown_by_a_part_of_its_id(run, store, log, config):
    [listed] = run("events", "list", "--from", store, "--limit", "1", "--json").events
    for part in (listed["id"][9:23], listed["id"][:30], listed["id"][20:]):
        assert run("events", "show", part, "--from", store).json == listed
    ran = run("events", "show", "-7", "--from", store)
    assert ran.code == 2  # an option
    ran = run("events", "show", listed["id"][14], "--from", store)
    assert ran.code == 1
    assert ran.err.count("edx.video.") == 6
    assert run("events", "show", "", "--from", store).code == 1


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


@pytest.mark.parametrize(
    ("times", "starts"),
    [
        (["2020-01-02T03:04:05Z"], ("2020-01-02  ", "03:04:05    ")),
        (["2020-01-02T03:04:05Z", "2019-12-31T00:00:00Z"], ("time  ", "2020-01-02 03:04:05  ")),
    ],
)
def test_a_list_says_of_which_day_its_events_are(run, log, monkeypatch, times, starts):
    monkeypatch.setenv("COLUMNS", "80")
    path = log(*({"name": "a", "timestamp": time, "data": {}} for time in times))
    lines = run("events", "list", "--from", path).out.splitlines()
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=False))


def test_a_count_of_nothing_is_no_chart(run, store):
    for by in ("name", "minute"):
        assert (
            run("events", "count", "--from", store, "--by", by, "--user", "9").out == "no events\n"
        )


def test_the_latest_events_are_printed_oldest_first(run, store):
    events = run("events", "tail", "--from", store, "--limit", "2", "--json").events
    assert len(events) == 2
    stored_last = run("events", "tail", "--from", store, "--limit", "1", "--json").events
    assert events[-1:] == stored_last


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
        ("mongodb://", "mongodb://…: uri must read mongodb://"),
        ("mongodb://a secret:b@", "mongodb://…: "),
        ("clickhouse://", "clickhouse://…: uri must read clickhouse://"),
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
    ("address", "server"),
    [("clickhouse://127.0.0.1:1/x", "ClickHouse"), ("postgresql://127.0.0.1:1/x", "PostgreSQL")],
)
def test_a_server_that_cannot_be_reached_is_one_line(program, address, server):
    ran = program("events", "count", "--from", address)
    assert ran.code == 1
    assert ran.err.startswith(f"Error: {server}: the connection failed, or took too long")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("time", ["tomorrow", "5", "5y", "2026-13-01", "9999999d", "999999d", ""])
def test_what_is_no_time_is_wrong_usage(run, store, time):
    ran = run("events", "list", "--from", store, "--since", time)
    assert ran.code == 2
    assert "not a time: write" in ran.err


def test_a_reader_that_goes_away_ends_it_quietly(run, log, edx, config, program):
    many = log(*[edx(session=str(number)) for number in range(3000)])
    assert run("ingest", many, "--config", config()).code == 0
    with subprocess.Popen(
        [program.path, "events", "list", "--from", "events.db", "--limit", "3000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as listing:
        listing.stdout.readline()
        listing.stdout.close()
        listing.wait(DEADLINE)
        assert listing.stderr.read() == b""


def test_each_value_has_its_events_over_time(run, store):
    rows = run("events", "count", "--by", "user", "--per", "hour", "--json", "--from", store).json

    assert [(row["user"], row["count"], sum(row["hour"].values())) for row in rows] == [
        ("1", 3, 3),
        ("2", 3, 3),
    ]
    assert [len(row["hour"]) for row in rows] == [2, 3]


def test_the_sparklines_of_values_fit_the_terminal(run, store, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    lines = run(
        "events", "count", "--by", "name", "--per", "minute", "--from", store
    ).out.splitlines()

    assert len(lines) == 4
    assert all(cell_len(line) <= 60 for line in lines)
    assert lines[0].startswith("edx.video.played")
    assert "\u2588" in lines[0]


def test_periods_alone_have_no_values_to_draw(run, store):
    ran = run("events", "count", "--by", "hour", "--per", "hour", "--from", store)
    assert (ran.code, ran.out) == (2, "")
    assert "--per needs --by with a field" in ran.err


def test_without_a_source_the_options_that_name_one_are_said(run):
    ran = run("events", "list")
    assert (ran.code, ran.out) == (1, "")
    assert "--from" in ran.err
    assert "--config" in ran.err
