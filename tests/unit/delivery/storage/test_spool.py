"""What a spool puts on the disk, for whom, and when it goes again."""

from __future__ import annotations

import shutil
import stat
import threading
from pathlib import Path

import pytest

from eventtracking_core.delivery.storage.disk import Disk
from eventtracking_core.delivery.storage.spool import Spool

pytestmark = pytest.mark.native


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def everything_in(directory):
    return sorted(directory.rglob("*"))


@pytest.mark.usefixtures("umask_of_zero")
def test_directories_and_files_are_for_their_owner_alone(tracker_to, tmp_path, leaf):
    reached, released = threading.Event(), threading.Event()

    class Holding:
        def send_batch(self, events, *, timeout):
            reached.set()
            released.wait(60)

    tracker = tracker_to(Holding(), directory=str(tmp_path / "below" / "it"))
    tracker.emit("kept")
    assert reached.wait(60)
    made = everything_in(tmp_path)
    assert leaf(tracker)["pending"] == 1
    assert {mode(path) for path in made if path.is_dir()} == {0o700}
    assert {mode(path) for path in made if path.is_file()} == {0o600}
    names = {path.name for path in made if path.is_file()}
    assert names > {"00000001.seg", "lock"}  # and the note of the delivery
    released.set()


def test_there_is_no_thread_and_no_directory_before_the_first_event(tracker_to, sink, tmp_path):
    before = set(threading.enumerate())
    tracker = tracker_to(sink)
    assert set(threading.enumerate()) <= before
    assert everything_in(tmp_path) == []
    assert tracker.shutdown(1)
    assert set(threading.enumerate()) <= before
    assert everything_in(tmp_path) == []


def test_a_spool_that_is_a_symbolic_link_is_not_followed(tracker_to, sink, tmp_path, leaf):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "r.sink").mkdir()
    (tmp_path / "r.sink" / "spool").symlink_to(elsewhere)
    tracker = tracker_to(sink)
    tracker.emit("goes through the memory")
    assert tracker.flush(60)
    assert leaf(tracker)["delivered"] == 1
    assert everything_in(elsewhere) == []


def test_links_in_a_spool_are_neither_adopted_nor_removed(spool_at, read_all, tmp_path):
    orphan = spool_at()
    orphan.append(b"kept")
    orphan.close()
    segment = next(tmp_path.rglob("*.seg"))
    secret = tmp_path / "elsewhere" / "00000001.seg"
    secret.parent.mkdir()
    (secret.parent / "lock").touch()
    secret.write_bytes(segment.read_bytes())
    (segment.parent / "00000009.seg").symlink_to(secret)
    (tmp_path / "spool" / "1-linked").symlink_to(secret.parent)
    heir = spool_at()
    heir.seek_orphans()
    assert read_all(heir) == [b"kept"]
    assert secret.exists()
    assert not segment.exists()


def test_segments_are_removed_as_they_are_delivered(tracker_to, sink, journals, leaf, eventually):
    tracker = tracker_to(sink, max_spool_bytes=40_000)
    for _ in range(20):
        for _ in range(50):
            tracker.emit("filled", {"text": "x" * 100})
        assert tracker.flush(60)
        eventually(lambda: len(journals.segments) <= 1)
    counts = leaf(tracker)
    assert counts["delivered"] == counts["accepted"] == 1000
    tracker.shutdown(5)
    assert journals.segments == []


@pytest.mark.parametrize("max_bytes", [1_000, 10_000, 1_000_000])
def test_a_full_spool_drops_with_a_reason_and_takes_again_once_it_was_drained(
    max_bytes, tracker_to, sink, leaf, journals
):
    sink.fails = ConnectionError()
    tracker = tracker_to(sink, max_spool_bytes=max_bytes)
    number = max_bytes // 150 + 10
    for _ in range(number):
        tracker.emit("filled", {"text": "x" * 100})
    dropped = leaf(tracker)["dropped"]
    assert dropped.keys() == {"spool_full"}
    assert sum(path.stat().st_size for path in journals.segments) <= max_bytes
    sink.fails = None
    assert tracker.flush(60)
    last = tracker.emit("one more")
    assert tracker.flush(60)
    assert leaf(tracker)["dropped"] == dropped
    assert sink.ids[-1] == last


def test_a_spool_that_somebody_removed_begins_again(tracker_to, sink, leaf, tmp_path, eventually):
    sink.fails = ConnectionError()
    tracker = tracker_to(sink, max_spool_bytes=4_000)
    tracker.emit("before")
    for path in tmp_path.iterdir():  # a delivery may begin or end meanwhile
        eventually(lambda path=path: shutil.rmtree(path, ignore_errors=True) or not path.exists())
    for _ in range(12):
        last = tracker.emit("after", {"text": "x" * 100})
    sink.fails = None
    assert tracker.flush(60)
    assert sink.ids[-1] == last
    counts = leaf(tracker)
    assert counts["pending"] == 0
    assert (counts["delivered"], counts["dropped"]) == (13, {})


class Counted(Disk):
    """Counts what is synced."""

    def __init__(self):
        self.synced = []

    def sync(self, descriptor):
        self.synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())


def test_events_are_synced_while_nothing_is_delivered(tmp_path, eventually):
    """The thread that delivers may hang in a backend for as long as it likes."""
    disk = Counted()
    spool = Spool(tmp_path / "spool", max_bytes=1 << 20, fsync_interval=0.01, lost=print, disk=disk)
    for number in range(3):
        spool.append(b"%d" % number)
        eventually(lambda number=number: len(disk.synced) > number)
    spool.close()


def test_a_lasting_flow_is_synced_once_in_an_interval(tmp_path):
    disk = Counted()
    spool = Spool(tmp_path / "spool", max_bytes=1 << 20, fsync_interval=30, lost=print, disk=disk)
    for number in range(1000):
        spool.append(b"%d" % number)
    spool.close()
    assert len(disk.synced) == 1
