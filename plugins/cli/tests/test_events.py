"""`eventtracking events`: finding what was stored."""

from __future__ import annotations

import json
import signal
import subprocess
from datetime import UTC, datetime, timedelta

import pytest


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
        (["--since", "2020-01-01", "--until", "2020-01-02T10:00:00+02:00"], 0),
    ],
)
def test_events_are_chosen_by_name_time_and_user(run, store, options, number):
    assert run("events", "count", "--db", store, *options).out == f"{number}\n"
    assert run("events", "count", "--db", store, *options, "--json").json == {"count": number}
    assert len(run("events", "list", "--db", store, *options).out.splitlines()) == number


def test_events_are_listed_newest_first(run, store):
    events = run("events", "list", "--db", store, "--limit", "4", "--json").events
    times = [event["timestamp"] for event in events]
    assert times == sorted(times, reverse=True)
    assert len(times) == 4


def test_a_listed_event_is_a_line_that_cannot_act_on_the_terminal(run, store):
    out = run("events", "list", "--db", store).out
    assert len(out.splitlines()) == 6
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "edx.video.[bold]\\x1b[31m" in out


def test_one_event_is_shown_whole(run, store):
    [listed] = run("events", "list", "--db", store, "--limit", "1", "--json").events
    ran = run("events", "show", listed["id"], "--db", store)
    assert ran.json == listed
    assert "\x1b" not in ran.out
    assert len(ran.out.splitlines()) > 5
    assert run("events", "show", listed["id"], "--db", store, "--json").events == [listed]


def test_an_event_that_is_not_there_is_said_to_be(run, store):
    ran = run("events", "show", "no\x1bsuch", "--db", store)
    assert ran.code == 1
    assert ran.err == "Error: no event no\\x1bsuch\n"


def test_events_are_counted_by_name(run, store):
    rows = run("events", "count", "--db", store, "--by", "name", "--json").json
    assert rows[0] == {"name": "edx.video.played", "count": 4}
    out = run("events", "count", "--db", store, "--by", "name").out
    assert "edx.video.played" in out.splitlines()[0]
    assert "█" in out
    assert "\x1b" not in out


def test_events_are_counted_by_minute(run, store):
    rows = run("events", "count", "--db", store, "--by", "minute", "--json").json
    assert sum(row["count"] for row in rows) == 6
    out = run("events", "count", "--db", store, "--by", "minute").out
    assert "█" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_count_of_nothing_is_no_chart(run, store):
    for by in ("name", "minute"):
        assert run("events", "count", "--db", store, "--by", by, "--user", "9").out == "no events\n"


def test_the_latest_events_are_printed_oldest_first(run, store):
    events = run("events", "tail", "--db", store, "--limit", "2", "--json").events
    assert len(events) == 2
    stored_last = run("events", "tail", "--db", store, "--limit", "1", "--json").events
    assert events[-1:] == stored_last


def test_following_prints_what_is_stored_from_now_on(run, store, config, program):
    command = [program.path, "events", "tail", "--follow", "--db", store, "--limit", "1", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as tail:
        assert json.loads(tail.stdout.readline())["name"].startswith("edx.video.")
        for name in ("first", "second"):
            assert run("emit", name, "--config", config()).code == 0
            assert json.loads(tail.stdout.readline())["name"] == name
        tail.send_signal(signal.SIGINT)
        assert tail.wait(30) == 130
        assert tail.stdout.read() + tail.stderr.read().strip() == ""


def test_the_store_may_be_the_configurations(run, store, config):
    assert run("events", "count", "--config", config()).out == "6\n"
    routed = '[backends.a]\n[backends.a.backends.b]\ntype = "sqlite"\npath = "events.db"\n'
    assert run("events", "count", "--config", config(routed)).out == "6\n"


def test_a_configuration_without_a_store_is_refused(run, config):
    ran = run("events", "count", "--config", config('[backends.a]\ntype = "null"\n'))
    assert ran.code == 1
    assert "add one of type sqlite, or use --db" in ran.err


def test_what_is_no_store_is_a_line_not_a_traceback(run, config, tmp_path):
    (tmp_path / "text.db").write_text("this is no database, and long enough to tell" * 100)
    for verb in ("list", "count", "tail"):
        ran = run("events", verb, "--db", "text.db")
        assert ran.code == 1
        assert "not an SQLite database" in ran.err
    assert run("events", "list", "--db", "missing.db").code == 2
    ran = run("events", "list", "--config", config())  # nothing was stored yet
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert not (tmp_path / "events.db").exists()


@pytest.mark.parametrize("time", ["yesterday", "5", "5w", "2026-13-01", "9999999d", "999999d", ""])
def test_what_is_no_time_is_wrong_usage(run, store, time):
    ran = run("events", "list", "--db", store, "--since", time)
    assert ran.code == 2
    assert "not a time: write" in ran.err


def test_a_reader_that_goes_away_ends_it_quietly(run, log, edx, config, program):
    many = log(*[edx(session=str(number)) for number in range(3000)])
    assert run("ingest", many, "--config", config()).code == 0
    with subprocess.Popen(
        [program.path, "events", "list", "--db", "events.db", "--limit", "3000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as listing:
        listing.stdout.readline()
        listing.stdout.close()
        listing.wait(30)
        assert listing.stderr.read() == b""
