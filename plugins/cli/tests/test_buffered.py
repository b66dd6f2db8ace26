"""Dead letters, spools and their counts, through the program."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from types import ModuleType
from typing import ClassVar

import pytest
from waiting import DEADLINE

from eventtracking_core import RejectedError, RetryableError, Tracker, register_tracker
from eventtracking_core.delivery import spool_status
from eventtracking_core.delivery.storage.format import HEADER_SIZE, frame

SPOOL = Path("eventtracking-spool/out.sink/spool")


class Sink:
    """Does to events what a test says."""

    answer = None
    delivered: ClassVar = []

    def send_batch(self, events, *, timeout):
        if Sink.answer is not None:
            raise Sink.answer
        Sink.delivered += [event["id"] for event in events]


@pytest.fixture
def spooling(config, monkeypatch):
    """A configuration with a spool before a sink."""
    module = ModuleType("sinks")
    module.Sink = Sink
    monkeypatch.setitem(sys.modules, "sinks", module)
    Sink.answer, Sink.delivered = None, []
    return config("""
        [backends.out]
        processors = []
        [backends.out.backends.sink]
        type = "sinks:Sink"
        delivery = { mode = "spool", initial_interval = 0.05 }
    """)


@pytest.fixture
def refused(spooling, run):
    """The ids of two events that the sink refused for good."""
    Sink.answer = RejectedError("not of this kind")
    ids = [run("emit", "--config", spooling, name).out.strip() for name in ("a.b", "c.d")]
    Sink.answer = None
    return ids


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


def test_a_replay_delivers_and_removes(spooling, refused, run):
    ran = run("deadletters", "replay", "--config", spooling)
    assert (ran.code, ran.out) == (0, "2 letters delivered, 0 dead-lettered again, 0 left\n")
    assert refused == Sink.delivered
    assert "no dead letters" in run("deadletters", "list", "--config", spooling).out


def test_a_replay_of_one_leaves_the_others(spooling, refused, run):
    assert run("deadletters", "replay", "nope", "--config", spooling).code == 1
    assert Sink.delivered == []
    part = refused[1][:18]
    assert run("deadletters", "replay", part, "--config", spooling).code == 0
    assert [refused[1]] == Sink.delivered
    letters = run("deadletters", "list", "--config", spooling, "--json").json
    assert [letter["id"] for letter in letters] == refused[:1]


def test_what_is_refused_again_is_a_dead_letter_again(spooling, refused, run):
    Sink.answer = RejectedError("still not")
    ran = run("deadletters", "replay", "--config", spooling)
    assert ran.code == 1
    letters = run("deadletters", "list", "--config", spooling, "--json").json
    assert sorted(letter["id"] for letter in letters) == sorted(refused)


def test_purging_removes_for_good_and_asks_first(spooling, refused, run):
    assert run("deadletters", "purge", "--config", spooling, "--before", "1d", "--yes").out == (
        "there is nothing to remove\n"
    )
    ran = run("deadletters", "purge", "--config", spooling, "--yes")
    assert ran.out == "2 letters removed\n"
    assert run("deadletters", "list", "--config", spooling, "--json").json == []
    assert Sink.delivered == []


@pytest.fixture
def waiting(spooling):
    """Three events in the spool of a tracker that could not deliver them."""
    Sink.answer = RetryableError("away")
    tracker = Tracker()
    tracker.configure(spooling)
    for _ in range(3):
        tracker.emit("a.b")
    tracker.shutdown(0.3)
    deadline = monotonic() + DEADLINE
    while any(process.is_alive for process in spool_status(SPOOL)):  # the worker puts things away
        assert monotonic() < deadline
    return spooling


def test_the_status_of_a_spool_tells_what_waits_and_for_whom(waiting, run):
    (row,) = run("spool", "status", "--config", waiting, "--json").json
    assert (row["backend"], row["state"], row["events"]) == ("out.sink", "ended", 3)
    (counts,) = run("stats", "--config", waiting, "--json").json
    assert (counts["waiting"], counts["processes"], counts["dead_letters"]) == (3, 0, {})


def test_the_spool_of_a_tracker_with_a_name_is_looked_into_by_its_name(spooling, run):
    Sink.answer = RetryableError("away")
    tracker = Tracker()
    register_tracker(tracker, "audit")
    tracker.configure(spooling)
    tracker.emit("a.b")
    tracker.shutdown(0.3)

    assert run("spool", "status", "--config", spooling, "--json").json == []
    (row,) = run("--tracker", "audit", "spool", "status", "--config", spooling, "--json").json
    assert (row["backend"], row["events"]) == ("out.sink", 1)


def test_looking_delivers_nothing_and_the_next_tracker_does(waiting, run):
    Sink.answer = None
    run("spool", "status", "--config", waiting)
    run("spool", "verify", "--config", waiting)
    assert Sink.delivered == []
    run("emit", "--config", waiting, "c.d")
    assert len(Sink.delivered) == 4
    assert "nothing waits" in run("spool", "status", "--config", waiting).out


def test_verifying_finds_damage(waiting, run):
    assert run("spool", "verify", "--config", waiting).code == 0
    (process,) = spool_status(SPOOL)
    path = process.segments[0].path
    content = bytearray(path.read_bytes())
    content[-5] ^= 0xFF
    path.write_bytes(content)
    ran = run("spool", "verify", "--config", waiting)
    assert ran.code == 1
    assert "damaged bytes" in ran.out
    assert "2 events" in ran.out


@pytest.mark.parametrize("kind", ["directory", "pipe", "link"])
def test_a_segment_that_cannot_be_read_is_named_and_hides_no_other(waiting, run, kind):
    (process,) = spool_status(SPOOL)
    strange = process.segments[0].path.with_name("00000000.seg")
    if kind == "directory":
        strange.mkdir()
    elif kind == "pipe":
        os.mkfifo(strange)
    else:
        strange.symlink_to(process.segments[0].path)
    for command in (["spool", "status"], ["stats"]):
        ran = run(*command, "--config", waiting)
        assert "00000000.seg cannot be read" in ran.err
        assert "3" in ran.out
    ran = run("spool", "verify", "--config", waiting)
    assert (ran.code, "3 events" in ran.out) == (1, True)
    assert "00000000.seg cannot be read" in ran.err


def test_a_spooled_record_that_is_no_event_has_no_age(waiting, run):
    (process,) = spool_status(SPOOL)
    path = process.segments[0].path
    for payload in (b"\xc0", b"\x01", b"\x80", b"\x81\xa9timestamp\x01", b"junk"):
        path.write_bytes(path.read_bytes()[:HEADER_SIZE] + frame(payload))
        (row,) = run("stats", "--config", waiting, "--json").json
        assert (row["waiting"], row["oldest"]) == (1, None)


def test_dead_letters_that_cannot_be_read_are_named_and_hide_no_others(spooling, refused, run):
    dead = SPOOL.with_name("dead")
    (dead / "20260101T000000000000-1.seg").mkdir()
    ran = run("deadletters", "list", "--config", spooling, "--json")
    assert [letter["id"] for letter in ran.json] == refused
    assert run("stats", "--config", spooling).code == 0


def test_the_age_of_the_oldest_event_is_told(waiting, run):
    (row,) = run("stats", "--config", waiting, "--json").json
    assert row["oldest"].endswith("Z")
    assert " s" in run("stats", "--config", waiting).out
    (row,) = run("spool", "status", "--config", waiting, "--json").json
    assert row["oldest"].endswith("Z")


def test_the_rate_at_which_waiting_events_change_is_shown(spooling, run):
    Sink.answer = RetryableError("away")
    tracker = Tracker()
    tracker.configure(spooling)
    ended = Event()

    def emit():
        while not ended.is_set():
            tracker.emit("a.b")
            ended.wait(0.001)

    emitting = Thread(target=emit)
    emitting.start()
    try:
        (row,) = run("stats", "--config", spooling, "--interval", "0.5", "--json").json
        assert row["per_second"] > 0
        assert "per second" in run("stats", "--config", spooling, "--interval", "0.1").out
    finally:
        ended.set()
        emitting.join()
        tracker.shutdown(0.3)
    (row,) = run("stats", "--config", spooling, "--interval", "0.1", "--json").json
    assert row["per_second"] == 0


def test_what_is_in_the_memory_of_a_process_is_not_told_as_zero(config, run):
    queued = config('[backends.a]\ntype = "null"\ndelivery = "queue"\n')
    (row,) = run("stats", "--config", queued, "--json").json
    assert (row["waiting"], row["processes"], row["oldest"]) == (None, None, None)
    assert "\u2013" in run("stats", "--config", queued).out


def test_a_spool_of_a_backend_that_was_renamed_is_told_of(waiting, run, config):
    renamed = config(waiting.read_text().replace("out", "away"), name="renamed.toml")
    for command in (["stats"], ["spool", "status"]):
        ran = run(*command, "--config", renamed)
        assert ran.code == 0
        assert "out.sink: 3 events of a backend that the configuration does not name" in ran.err


def test_a_backend_that_is_not_there_is_a_clear_error(spooling, run):
    ran = run("stats", "--config", spooling, "--backend", "nowhere")
    assert ran.code == 1
    assert "out.sink" in ran.err


def test_the_list_of_dead_letters_fits_the_terminal(spooling, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    Sink.answer = RejectedError("no")
    name = "edx.a.rather.long.namespace.of.a.name.that.ends.well"
    event_id = run("emit", "--config", spooling, name).out.strip()

    line = run("deadletters", "list", "--config", spooling).out.splitlines()[1]

    assert len(line) <= 80
    assert event_id in line
    assert line.endswith(".ends.well")


class Broker(Sink):
    """A sink from which others take."""

    waiting: ClassVar = 3

    def backlog(self, timeout):
        if Broker.waiting is None:
            raise RetryableError("the broker cannot be reached")
        return Broker.waiting


@pytest.mark.parametrize(("waiting", "cell"), [(3, "3"), (0, "0"), (None, "\u2013")])
def test_stats_asks_brokers_how_much_they_hold(config, run, monkeypatch, waiting, cell):
    module = ModuleType("sinks")
    module.Broker = Broker
    monkeypatch.setitem(sys.modules, "sinks", module)
    monkeypatch.setattr(Broker, "waiting", waiting)
    path = config("""
        [backends.remote]
        type = "sinks:Broker"
        delivery = "queue"
    """)

    (row,) = run("stats", "--config", path, "--json").json
    ran = run("stats", "--config", path)

    assert row["in_broker"] == waiting
    assert "in broker" in ran.out
    assert cell in ran.out
    assert ("cannot be reached" in ran.err) == (waiting is None)
