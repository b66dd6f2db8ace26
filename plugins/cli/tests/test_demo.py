"""`eventtracking demo`: what it shows, and what it leaves."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path

import pytest
from waiting import DEADLINE

import eventtracking_cli
import eventtracking_core
import eventtracking_file
import eventtracking_sqlite
from eventtracking_cli.demo_course import COURSE_ID, HOUR, happenings

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def hour():
    return happenings(datetime(2026, 9, 12, 12, tzinfo=UTC))


def test_the_demo_stores_what_it_says_and_no_address(run, tmp_path):
    ran = run("demo")
    assert ran.code == 0
    written = (tmp_path / "eventtracking-demo" / "events.ndjson").read_text()
    lines = [json.loads(line) for line in written.splitlines()]
    events = [line for line in lines if "event_type" not in line]
    assert f"{len(events):,} delivered" in ran.out
    assert (
        run("events", "count", "--from", "eventtracking-demo/events.db").out == f"{len(events)}\n"
    )
    assert {event["name"].partition(".")[0] for event in events} == {"edx"}
    assert {event["context"]["course_id"] for event in events} == {COURSE_ID}
    assert all("user_id" in event["context"] for event in events)
    for file in (tmp_path / "eventtracking-demo").iterdir():
        assert b"198.51.100." not in file.read_bytes()


@pytest.mark.parametrize("uv", [False, True])
def test_the_demo_fits_one_screen_and_says_where_it_writes(run, monkeypatch, uv):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)  # tox may run under uv
    if uv:
        monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")
    lines = run("demo").out.splitlines()
    assert len(lines) <= 22
    commands = [line for line in lines if line.startswith("  ")]
    assert max(len(line.rstrip()) for line in lines) <= 80 or uv
    assert len([line for line in commands if "eventtracking " in line]) == 3
    assert any("./eventtracking-demo/" in line for line in lines)
    assert "a second" in lines[0]
    assert any("regex_filter" in line and "dropped" in line for line in lines)


def test_the_commands_it_proposes_work(run, monkeypatch):
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
    proposed = [line for line in run("demo").out.splitlines() if "  eventtracking " in line]
    assert len(proposed) == 3
    assert " catalog serve " in proposed.pop()
    for line in proposed:
        ran = run(*shlex.split(line)[1:])
        assert ran.code == 0
        assert len(ran.out.splitlines()) >= 5


def test_under_uv_the_commands_go_through_uv(run, monkeypatch):
    monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")
    assert run("demo").out.count("  uv run --no-sync eventtracking ") == 3


def test_where_the_catalogue_is_not_installed_uv_installs_it():
    """Of our packages, a process sees those of the dependency group `demo`."""
    ours = (eventtracking_core, eventtracking_cli, eventtracking_file, eventtracking_sqlite)
    parts = [Path(package.__file__).parents[1] for package in ours]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([sysconfig.get_path("purelib"), *map(str, parts)]),
        "UV_RUN_RECURSION_DEPTH": "1",
    }
    # Without `site`, the links of installed workspace members are not followed.
    command = [sys.executable, "-S", "-c", "import eventtracking_cli as e; e.main(['demo'])"]
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    assert "  uv run --only-group catalog eventtracking catalog serve " in ran.stdout


def test_run_again_it_starts_anew_and_touches_nothing_else(run, tmp_path):
    run("demo")
    first = run("events", "count", "--from", "eventtracking-demo/events.db").out
    mine = tmp_path / "eventtracking-demo" / "notes.txt"
    mine.write_text("mine")
    assert run("demo").code == 0
    assert run("events", "count", "--from", "eventtracking-demo/events.db").out == first
    assert mine.read_text() == "mine"


def test_what_it_did_not_make_is_never_overwritten(run, tmp_path):
    home = tmp_path / "eventtracking-demo"
    home.mkdir()
    (home / "events.db").write_text("mine")
    ran = run("demo")
    assert ran.code == 1
    assert "eventtracking-demo/events.db was not made by this command" in ran.err
    assert [path.name for path in home.iterdir()] == ["events.db"]
    assert (home / "events.db").read_text() == "mine"


def test_a_configuration_that_was_changed_is_never_overwritten(run, tmp_path):
    assert run("demo").code == 0
    config = tmp_path / "eventtracking-demo" / "eventtracking.toml"
    config.write_text("# mine")
    ran = run("demo")
    assert ran.code == 1
    assert "eventtracking.toml was changed" in ran.err
    assert config.read_text() == "# mine"


def test_every_event_of_the_demo_is_documented(run, tmp_path):
    assert run("demo").code == 0
    log = tmp_path / "eventtracking-demo" / "events.ndjson"
    ran = run("validate", log)
    assert (ran.code, ran.out) == (0, "0 violations in 4,250 events\n")
    assert run("demo").err == ""


def test_what_is_in_its_way_is_left_alone(run, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "events.db").write_text("mine")
    (tmp_path / "eventtracking-demo").symlink_to(elsewhere)
    ran = run("demo")
    assert ran.code == 1
    assert "is no directory" in ran.err
    assert (elsewhere / "events.db").read_text() == "mine"


def test_the_course_is_the_same_each_time(hour):
    start = datetime(2026, 9, 12, 12, tzinfo=UTC)
    assert hour == happenings(start)
    assert hour != happenings(start, seed=102)
    assert 4000 < len(hour) < 6000
    assert all(start <= happening.at < start + HOUR for happening in hour)
    assert hour == sorted(hour, key=lambda happening: happening.at)


def test_abler_learners_need_fewer_attempts(hour):
    checks = [happening for happening in hour if happening.name == "edx.problem.checked"]

    def share_correct(able):
        made = [check for check in checks if (check.learner.ability > 0) is able]
        return sum(check.data["correct"] for check in made) / len(made)

    assert share_correct(able=True) > share_correct(able=False) + 0.1


def test_most_learners_take_a_break_at_the_same_time(hour):
    minutes = [int((happening.at - hour[0].at).total_seconds() // 60) for happening in hour]
    during = sum(28 <= minute < 36 for minute in minutes)
    before = sum(18 <= minute < 26 for minute in minutes)
    after = sum(40 <= minute < 48 for minute in minutes)
    assert 0 < during < min(before, after) / 2
