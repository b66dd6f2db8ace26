"""Dead letters, through the program."""

from __future__ import annotations

import io
import re
from pathlib import Path

from eventtracking_core import RejectedError

SPOOL = Path("eventtracking-spool/out.sink/spool")


def test_dead_letters_are_listed_with_their_reason(spooling, refused, run):
    letters = run("deadletters", "list", "--config", spooling, "--json").json
    assert [letter["id"] for letter in letters] == refused
    assert {letter["reason"] for letter in letters} == {"rejected"}
    assert letters[0]["backend"] == "out.sink"
    assert letters[0]["attempts"] == 1
    assert "not of this kind" in letters[0]["error"]


def test_a_dead_letter_is_shown_with_its_event(spooling, refused, run):
    shown = run("deadletters", "show", refused[1], "--config", spooling).json
    assert shown["event"]["name"] == "c.d"
    assert run("deadletters", "show", "nobody", "--config", spooling).code == 1


def test_dead_letters_are_grouped_by_backend_reason_and_error(spooling, refused, run):
    out = run("deadletters", "list", "--config", spooling).out.splitlines()
    assert out[0] == "out.sink: 2 letters, rejected: RejectedError: not of this kind"
    assert [refused[0] in out[1], refused[1] in out[2]] == [True, True]
    assert out[1].endswith("  a.b")
    assert re.match(r"  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  ", out[1])
    out = run("deadletters", "list", "--config", spooling, "--limit", "1").out.splitlines()
    assert out[2:] == ["  … and 1 more; --limit 0 shows all"]
    assert len(run("deadletters", "list", "--config", spooling, "--limit", "0").out.split()) > 10


def test_a_dead_letter_is_found_by_a_part_of_its_id(spooling, refused, run):
    part = refused[1][9:]
    assert run("deadletters", "show", part, "--config", spooling).json["id"] == refused[1]
    assert len(run("deadletters", "show", part, "--config", spooling, "--json").events) == 1
    ran = run("deadletters", "show", refused[1][:6], "--config", spooling)
    assert ran.code == 1
    assert all(event_id in ran.err for event_id in refused)


def test_times_of_dead_letters_are_told_as_everywhere(spooling, refused, run):
    shown = run("deadletters", "show", refused[0], "--config", spooling).json
    assert shown["time"].endswith("Z")
    assert shown["event"]["timestamp"].endswith("Z")
    assert "T" in shown["event"]["timestamp"]


def test_a_no_to_the_question_of_purge_removes_nothing_and_exits_1(
    spooling, refused, run, monkeypatch
):
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    ran = run("deadletters", "purge", "--config", spooling)
    assert ran.code == 1
    assert "nothing was removed" in ran.err
    assert len(run("deadletters", "list", "--config", spooling, "--json").json) == 2


def test_a_replay_delivers_and_removes(sink, spooling, refused, run):
    ran = run("deadletters", "replay", "--config", spooling)
    assert (ran.code, ran.out) == (0, "2 letters delivered, 0 dead-lettered again, 0 left\n")
    assert refused == sink.delivered
    assert "no dead letters" in run("deadletters", "list", "--config", spooling).out


def test_a_replay_of_one_leaves_the_others(sink, spooling, refused, run):
    assert run("deadletters", "replay", "nope", "--config", spooling).code == 1
    assert sink.delivered == []
    part = refused[1][:18]
    assert run("deadletters", "replay", part, "--config", spooling).code == 0
    assert [refused[1]] == sink.delivered
    letters = run("deadletters", "list", "--config", spooling, "--json").json
    assert [letter["id"] for letter in letters] == refused[:1]


def test_what_is_refused_again_is_a_dead_letter_again(sink, spooling, refused, run):
    sink.answer = RejectedError("still not")
    ran = run("deadletters", "replay", "--config", spooling)
    assert ran.code == 1
    letters = run("deadletters", "list", "--config", spooling, "--json").json
    assert sorted(letter["id"] for letter in letters) == sorted(refused)


def test_purging_removes_for_good_and_asks_first(sink, spooling, refused, run):
    assert run("deadletters", "purge", "--config", spooling, "--before", "1d", "--yes").out == (
        "there is nothing to remove\n"
    )
    ran = run("deadletters", "purge", "--config", spooling, "--yes")
    assert ran.out == "2 letters removed\n"
    assert run("deadletters", "list", "--config", spooling, "--json").json == []
    assert sink.delivered == []


def test_dead_letters_that_cannot_be_read_are_named_and_hide_no_others(spooling, refused, run):
    dead = SPOOL.with_name("dead")
    (dead / "20260101T000000000000-1.seg").mkdir()
    ran = run("deadletters", "list", "--config", spooling, "--json")
    assert [letter["id"] for letter in ran.json] == refused
    assert run("stats", "--config", spooling).code == 0


def test_the_list_of_dead_letters_fits_the_terminal(sink, spooling, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    sink.answer = RejectedError("no")
    name = "edx.a.rather.long.namespace.of.a.name.that.ends.well"
    event_id = run("emit", "--config", spooling, name).out.strip()

    line = run("deadletters", "list", "--config", spooling).out.splitlines()[1]

    assert len(line) <= 80
    assert event_id in line
    assert line.endswith(".ends.well")
