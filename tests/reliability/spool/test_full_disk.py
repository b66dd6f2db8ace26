"""P16: a full disk raises nothing, loses nothing that fits into memory, and is used again."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

import pytest
import small_disks
from hypothesis import given
from hypothesis import strategies as st
from paths_below import paths_below
from spool_fixtures import take_all

from eventtracking_core.delivery.buffer import FlushMarker
from eventtracking_core.delivery.options import DeliveryOptions
from eventtracking_core.delivery.spooled_buffer import SpooledBuffer
from eventtracking_core.delivery.storage.disk import Disk
from eventtracking_core.delivery.storage.spool import Spool
from eventtracking_core.lifecycle.threads import Bell


@pytest.fixture
def small_disk(tmp_path):
    with small_disks.small_disk(tmp_path / "disk") as place:
        yield place


def written(directory):
    """Return what the segments hold; one that was delivered may be removed meanwhile."""
    texts = []
    for path in paths_below(directory, "*.seg"):
        with suppress(FileNotFoundError):
            texts.append(path.read_bytes())
    return b"".join(texts)


if small_disks.may_mount():  # elsewhere the disks below, which refuse, show the same

    def test_on_a_full_disk_the_queue_takes_over_and_the_disk_is_used_again(
        small_disk, tracker_to, sink, leaf, eventually
    ):
        sink.fails = ConnectionError()
        tracker = tracker_to(sink, directory=str(small_disk))
        ids = [tracker.emit("filled", {"text": "x" * 1000}) for _ in range(3000)]
        assert os.statvfs(small_disk).f_bfree == 0
        assert leaf(tracker)["pending"] == 3000
        sink.fails = None
        assert tracker.flush(60)
        assert sorted(sink.ids) == ids
        assert leaf(tracker)["damaged"] == 0
        eventually(lambda: os.statvfs(small_disk).f_bfree > 0)
        sink.fails = ConnectionError()
        tracker.emit("on the disk again")
        eventually(lambda: b"on the disk again" in written(small_disk))


@pytest.mark.parametrize(
    ("behaviour", "schedule_delay"), [("refusing", 0.01), ("healthy", 60)], ids=["tried", "waiting"]
)
def test_events_that_a_full_disk_refused_survive_a_kill_once_it_has_room(
    behaviour, schedule_delay, start, run, journals
):
    program = start(
        "emit_while_the_disk_is_full", mode="spool", behaviour=behaviour,
        schedule_delay=schedule_delay, initial_interval=30,
    )  # fmt: skip
    assert program.stdout.readline() == "ready\n", program.stderr.read()
    program.kill()
    program.wait()
    assert len(journals.delivered) <= 1
    run("drain", mode="spool")
    assert sorted(journals.delivered) == sorted(journals.acknowledged)
    assert len(journals.delivered) == 201


def test_a_flush_waits_for_events_that_are_written_back_behind_it(tmp_path):
    options = DeliveryOptions(mode="spool")
    buffer = SpooledBuffer("sink", options, tmp_path / "sink", tmp_path, print)
    buffer.put_in_memory(b"refused")
    marker = FlushMarker(Bell().latch())
    buffer.mark(marker)
    [(wire, segment)], _ = buffer.take(1, 100)
    assert (wire, segment) == (b"refused", None)
    buffer.take(1, 100)
    assert buffer.is_past(marker)
    assert buffer.write_back(wire)
    assert not buffer.is_past(marker)
    [(wire, segment)], _ = buffer.take(1, 100)
    assert wire == b"refused"
    assert buffer.is_past(marker)
    buffer.acknowledge(segment)
    buffer.close()


def test_a_flush_that_timed_out_does_not_keep_events_from_being_written_back(tmp_path):
    buffer = SpooledBuffer(
        "sink", DeliveryOptions(mode="spool"), tmp_path / "sink", tmp_path, print
    )
    marker = FlushMarker(Bell().latch())
    buffer.put_in_memory(b"before")
    buffer.mark(marker)
    buffer.put_in_memory(b"behind")
    buffer.write_back_queue()
    assert (buffer.spool.appended, buffer.waiting) == (1, 2)
    marker.is_withdrawn = True
    buffer.write_back_queue()
    assert (buffer.spool.appended, buffer.waiting) == (2, 2)
    events, _ = buffer.take(10, 100)
    assert [wire for wire, segment in events if segment] == [b"before", b"behind"]
    buffer.close()


class Refusing(Disk):
    """Writes as much of each record as it is told; then it is full."""

    def __init__(self):
        self.room = None

    def write(self, descriptor, record, offset):
        if self.room is None:
            return Disk.write(descriptor, record, offset)
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return Disk.write(descriptor, record[: self.room], offset)

    def sync(self, descriptor):
        pass

    sync_directory = sync


@given(rooms=st.lists(st.one_of(st.none(), st.integers(0, 20)), min_size=1, max_size=60))
def test_what_is_written_in_part_is_rolled_back(rooms, tmp_path_factory):
    disk = Refusing()
    directory = tmp_path_factory.mktemp("full") / "spool"
    spool = Spool(directory, max_bytes=2000, fsync_interval=1, lost=print, disk=disk)
    kept, read = [], []
    for number, disk.room in enumerate(rooms):
        payload = b"event %d with text" % number
        with suppress(OSError):
            spool.append(payload)
            kept.append(payload)
        if number % 7 == 6:
            read += take_all(spool)
    assert read + take_all(spool) == kept
    assert spool.damaged == 0
    spool.close()
    assert list(directory.rglob("*.seg")) == []


def test_a_record_that_was_rolled_back_leaves_nothing_for_the_next_process(tmp_path):
    disk = Refusing()
    spool = Spool(tmp_path / "spool", max_bytes=2000, fsync_interval=1, lost=print, disk=disk)
    spool.append(b"whole")
    disk.room = 10
    with pytest.raises(OSError, match="No space left"):
        spool.append(b"in part")
    spool.close()
    heir = Spool(tmp_path / "spool", max_bytes=2000, fsync_interval=1, lost=print)
    heir.seek_orphans()
    assert take_all(heir) == [b"whole"]
    assert heir.damaged == 0
    heir.close()
