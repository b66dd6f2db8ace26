"""Sinks have a record before the first event that refers to it."""

from __future__ import annotations

import os
import threading

import pytest

import eventtracking_core as et
from eventtracking_core.delivery import DeadLetters
from eventtracking_core.plugins import plugins
from eventtracking_core.registry import find_record

NAME = "edx.problem.check"


@pytest.fixture
def buffered(sink, tmp_path):
    """Makes a tracker whose sink has a queue or a spool before it."""
    tracker = et.Tracker()

    def buffered(mode, backend=sink):
        class Plugin:
            @staticmethod
            @et.hookimpl
            def eventtracking_backends():
                return {"given": lambda: backend}

        et.register_plugin(Plugin, "given")
        delivery = {"mode": mode, "directory": str(tmp_path)} if mode != "inline" else mode
        tracker.configure({"backends": {mode: {"type": "given", "delivery": delivery}}})
        return tracker

    yield buffered
    tracker.shutdown(5)
    plugins.unregister("given")


def test_an_inline_sink_has_each_record_once_and_first(sink):
    tracker = et.Tracker({"sink": sink})
    record = tracker.register(NAME, "described")
    tracker.register("edx.unused", "never emitted")
    for _ in range(3):
        tracker.emit(NAME)
    tracker.emit("edx.other")

    assert sink.given == [record.id, NAME, NAME, NAME, "edx.other"]


@pytest.mark.parametrize("mode", ["queue", "spool"])
def test_a_buffered_sink_has_each_record_once_and_first(buffered, sink, mode):
    tracker = buffered(mode)
    record = tracker.register(NAME, "described")
    for _ in range(3):
        tracker.emit(NAME)
    assert tracker.flush(60)
    tracker.emit(NAME)
    assert tracker.flush(60)

    assert sink.given == [record.id, NAME, NAME, NAME, NAME]
    assert {event["name_id"] for event in sink.events} == {record.id}


def test_the_members_of_a_composed_context_come_before_it(sink):
    tracker = et.Tracker({"sink": sink})
    with tracker.context("a", {}, "one"), tracker.context("b", {}, "two"):
        tracker.emit(NAME)

    *members, composed, name = sink.given
    assert name == NAME
    assert list(find_record(composed).members) == members


@pytest.mark.parametrize("mode", ["inline", "queue"])
def test_a_save_that_fails_is_tried_again_with_the_next_event(buffered, sink, caplog, mode):
    tracker = buffered(mode)
    record = tracker.register(NAME, "described")
    sink.failures = 1
    for _ in range(2):
        tracker.emit(NAME)
        assert tracker.flush(60)

    assert sink.given == [NAME, record.id, NAME]
    assert [entry.levelname for entry in caplog.records] == ["WARNING"]
    assert "Input/output error" in caplog.text


def test_a_composed_context_waits_for_its_members(sink):
    tracker = et.Tracker({"sink": sink})
    sink.failures = 1
    for _ in range(2):
        with tracker.context("a", {}, "one"), tracker.context("b", {}, "two"):
            tracker.emit(NAME)

    composed = sink.events[0]["context_type_id"]
    first, second = find_record(composed).members
    assert sink.given == [second, NAME, first, composed, NAME]


def test_a_new_tree_has_the_records_again(sink):
    tracker = et.Tracker()
    record = tracker.register(NAME, "described")
    for _ in range(2):
        tracker.configure({"backends": {"sink": sink}})
        tracker.emit(NAME)

    assert sink.given == [record.id, NAME] * 2


@pytest.mark.native
def test_threads_that_emit_at_once_send_nothing_before_its_record(sink):
    tracker = et.Tracker({"sink": sink})
    record = tracker.register(NAME, "described")
    barrier = threading.Barrier(8)

    def emit():
        barrier.wait()
        tracker.emit(NAME)

    threads = [threading.Thread(target=emit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sink.given == [record.id] + [NAME] * 8


def test_an_event_made_elsewhere_brings_the_record_that_is_known_here(sink, an_event):
    tracker = et.Tracker({"sink": sink})
    record = tracker.register(NAME, "described")
    tracker.send(an_event(name_id=record.id))
    tracker.send(an_event(name_id="0123456789abcdef"))

    assert sink.given == [record.id, NAME, NAME]


@pytest.mark.native
def test_a_forked_child_hands_the_record_over_again(sink):
    tracker = et.Tracker({"sink": sink})
    record = tracker.register(NAME, "described")
    tracker.emit(NAME)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        sink.given.clear()
        tracker.emit(NAME)
        os.write(write, " ".join(sink.given).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        assert told.read() == f"{record.id} {NAME}"
    os.waitpid(child, 0)


def test_a_dead_letter_keeps_the_id_of_its_record(buffered, tmp_path):
    class Rejecting:
        def send(self, event):
            raise et.RejectedError("no")

    tracker = buffered("queue", Rejecting())
    record = tracker.register(NAME, "described")
    with tracker.context("a", {}, "one"):
        tracker.emit(NAME)
    assert tracker.flush(60)

    (letter,) = DeadLetters(tmp_path / "queue" / "dead", 1 << 20).letters()
    assert letter.event["name_id"] == record.id
    assert find_record(letter.event["context_type_id"]).name == "a"
