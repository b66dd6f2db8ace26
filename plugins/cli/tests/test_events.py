"""`eventtracking events`: finding and counting what was stored."""

from __future__ import annotations

import subprocess

import pytest
from rich.cells import cell_len
from waiting import DEADLINE


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
