"""Spools and their counts, through the program."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Event, Thread
from types import ModuleType
from typing import ClassVar

import pytest

from eventtracking_core import RetryableError, Tracker, register_tracker
from eventtracking_core.delivery import spool_status
from eventtracking_core.delivery.storage.format import HEADER_SIZE, frame

SPOOL = Path("eventtracking-spool/out.sink/spool")


@pytest.fixture
def waiting(sink, spooling, eventually):
    """Three events in the spool of a tracker that could not deliver them."""
    sink.answer = RetryableError("away")
    tracker = Tracker()
    tracker.configure(spooling)
    for _ in range(3):
        tracker.emit("a.b")
    tracker.shutdown(0.3)
    # The worker may still be putting its spool away.
    eventually(lambda: not any(process.is_alive for process in spool_status(SPOOL)))
    return spooling


def test_the_status_of_a_spool_tells_what_waits_and_for_whom(waiting, run):
    (row,) = run("spool", "status", "--config", waiting, "--json").json
    assert (row["backend"], row["state"], row["events"]) == ("out.sink", "ended", 3)
    (counts,) = run("stats", "--config", waiting, "--json").json
    assert (counts["waiting"], counts["processes"], counts["dead_letters"]) == (3, 0, {})


def test_the_spool_of_a_tracker_with_a_name_is_looked_into_by_its_name(sink, spooling, run):
    sink.answer = RetryableError("away")
    tracker = Tracker()
    register_tracker(tracker, "audit")
    tracker.configure(spooling)
    tracker.emit("a.b")
    tracker.shutdown(0.3)

    assert run("spool", "status", "--config", spooling, "--json").json == []
    (row,) = run("--tracker", "audit", "spool", "status", "--config", spooling, "--json").json
    assert (row["backend"], row["events"]) == ("out.sink", 1)


def test_looking_delivers_nothing_and_the_next_tracker_does(sink, waiting, run):
    sink.answer = None
    run("spool", "status", "--config", waiting)
    run("spool", "verify", "--config", waiting)
    assert sink.delivered == []
    run("emit", "--config", waiting, "c.d")
    assert len(sink.delivered) == 4
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


def test_the_age_of_the_oldest_event_is_told(waiting, run):
    (row,) = run("stats", "--config", waiting, "--json").json
    assert row["oldest"].endswith("Z")
    assert " s" in run("stats", "--config", waiting).out
    (row,) = run("spool", "status", "--config", waiting, "--json").json
    assert row["oldest"].endswith("Z")


def test_the_rate_at_which_waiting_events_change_is_shown(sink, spooling, run):
    sink.answer = RetryableError("away")
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


class Broker:
    """A sink from which others take."""

    waiting: ClassVar = 3

    def send_batch(self, events, *, timeout): ...

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
