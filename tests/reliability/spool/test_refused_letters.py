"""P28: dead letters and damaged bytes that the disk refuses for a while are stored later."""

from __future__ import annotations

import os
import resource
import shutil
from contextlib import ExitStack, contextmanager, suppress

import pytest
import small_disks

import eventtracking_core as et
from eventtracking_core.delivery import DeadLetters
from eventtracking_core.delivery.storage.quarantine import Quarantine
from eventtracking_core.delivery.storage.reader import (
    Damage,
)


@contextmanager
def no_directory(directory):
    """A file stands where the directory of dead letters belongs."""
    dead = directory / "r.sink" / "dead"
    dead.parent.mkdir(parents=True, exist_ok=True)
    dead.write_text("in the way")
    yield
    dead.unlink()


@contextmanager
def read_only(directory):
    small_disks.remount(directory, "ro")
    yield
    small_disks.remount(directory, "rw")


@contextmanager
def full(directory):
    filling = directory / "filling"
    with filling.open("wb") as file, suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(512))
    yield
    filling.unlink()


@contextmanager
def no_descriptors(_directory):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


REFUSALS = [no_directory, no_descriptors]
if small_disks.may_mount():
    REFUSALS += [read_only, full]


@pytest.fixture
def disk(tmp_path):
    if not small_disks.may_mount():
        yield tmp_path
        return
    with small_disks.small_disk(tmp_path / "disk") as place:
        yield place


class Rejecting:
    calls = 0

    def send_batch(self, events, *, timeout):
        self.calls += 1
        raise et.RejectedError("never")


@pytest.fixture
def rejecting():
    return Rejecting()


def letters(directory):
    return list(DeadLetters(directory / "r.sink" / "dead", 0).letters())


def emit_rejected(tracker, number):
    return sorted(tracker.emit("rejected") for _ in range(number))


@pytest.fixture(params=["queue", "spool"])
def tracker(request, disk, tracker_to, rejecting):
    return tracker_to(rejecting, directory=str(disk), mode=request.param)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_dead_letters_that_the_disk_refuses_are_stored_when_it_takes_them(
    refusal, disk, tracker, rejecting, leaf
):
    with refusal(disk):
        ids = emit_rejected(tracker, 20)
        assert not tracker.flush(0.5)
        assert rejecting.calls
        counts = leaf(tracker)
        assert (counts["pending"], counts["dead_lettered"], counts["dropped"]) == (20, 0, {})
    assert tracker.flush(60)
    counts = leaf(tracker)
    assert (counts["pending"], counts["dead_lettered"], counts["dropped"]) == (0, 20, {})
    assert sorted(letter.event["id"] for letter in letters(disk)) == ids
    assert {letter.reason for letter in letters(disk)} == {"rejected"}


def test_a_worker_without_anything_else_to_do_stores_what_was_refused(
    tmp_path, tracker_to, rejecting, leaf, eventually
):
    tracker = tracker_to(rejecting, mode="queue")
    with no_directory(tmp_path):
        emit_rejected(tracker, 3)
        eventually(lambda: leaf(tracker)["pending"] == 3)
    eventually(lambda: leaf(tracker)["dead_lettered"] == 3)


def test_the_end_waits_for_the_disk_and_stores_what_was_refused(
    tmp_path, tracker_to, rejecting, leaf, eventually
):
    tracker = tracker_to(rejecting, mode="queue")
    with no_directory(tmp_path):
        emit_rejected(tracker, 3)
        eventually(lambda: leaf(tracker)["pending"] == 3)
    assert tracker.shutdown(60)
    assert len(letters(tmp_path)) == 3


def test_letters_for_which_there_is_no_room_until_the_end_are_counted_and_told(
    tmp_path, tracker_to, rejecting, leaf, caplog
):
    tracker = tracker_to(rejecting, mode="queue")
    with no_directory(tmp_path):
        emit_rejected(tracker, 7)
        tracker.shutdown(0.5)
    counts = leaf(tracker)
    assert (counts["pending"], counts["dropped"]) == (0, {"rejected": 7})
    assert "7 events lost: the dead letters could not be written" in caplog.text


def test_letters_from_a_spool_that_are_not_stored_are_there_for_the_next_process(
    tmp_path, tracker_to, rejecting, leaf
):
    tracker = tracker_to(rejecting)
    with no_directory(tmp_path):
        ids = emit_rejected(tracker, 7)
        tracker.shutdown(0.5)
        assert leaf(tracker)["dropped"] == {}
    heir = tracker_to(rejecting)
    assert heir.flush(60)
    assert sorted(letter.event["id"] for letter in letters(tmp_path)) == ids


def test_so_many_refused_letters_wait_in_memory_and_no_more(
    tmp_path, tracker_to, rejecting, leaf, eventually
):
    """Then no more events are taken: they wait where they are, until there is no room there."""
    tracker = tracker_to(rejecting, mode="queue", max_queue_size=10, max_batch_size=5)
    with no_directory(tmp_path):
        eventually(lambda: tracker.emit("rejected") and leaf(tracker)["pending"] >= 20)
        emit_rejected(tracker, 100)
        counts = leaf(tracker)
        assert counts["pending"] < 30
        assert counts["dropped"]["queue_full"] >= 90
    assert tracker.flush(60)
    assert leaf(tracker)["dead_lettered"] == len(letters(tmp_path)) == counts["pending"]


def test_others_are_delivered_while_letters_are_refused(tmp_path, tracker_to, eventually, leaf):
    class Choosy:
        def __init__(self):
            self.names = []

        def send(self, event):
            if event["name"] == "bad":
                raise et.RejectedError("never")
            self.names.append(event["name"])

    sink = Choosy()
    tracker = tracker_to(sink, mode="queue")
    with no_directory(tmp_path):
        for number in range(20):
            tracker.emit("bad" if number % 2 else "good")
        eventually(lambda: sink.names == ["good"] * 10)
    assert tracker.flush(60)
    assert leaf(tracker)["dead_lettered"] == 10


def test_damaged_bytes_that_the_disk_refuses_are_quarantined_later(tmp_path, caplog):
    place = tmp_path / "damaged"
    place.write_text("in the way")
    quarantine = Quarantine(place, tmp_path)
    with ExitStack() as mended:
        mended.callback(place.unlink)
        quarantine.add("a", Damage(3, b"bad"))
        quarantine.add("b", Damage(5, b"worse"))
    quarantine.close()
    assert sorted(path.read_bytes() for path in place.iterdir()) == [b"bad", b"worse"]
    shutil.rmtree(place)
    place.write_text("in the way again")
    quarantine.add("c", Damage(3, b"bad"))
    quarantine.close()
    assert "3 damaged bytes are lost" in caplog.text
