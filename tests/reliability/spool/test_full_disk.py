"""P16: a full disk raises nothing, loses nothing that fits into memory, and is used again."""

from __future__ import annotations

import errno
import os
from contextlib import suppress

import pytest
import small_disks
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core.delivery.storage.disk import Disk
from eventtracking_core.delivery.storage.spool import Spool


@pytest.fixture
def small_disk(tmp_path):
    with small_disks.small_disk(tmp_path / "disk") as place:
        yield place


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
        assert tracker.flush(30)
        assert sorted(sink.ids) == ids
        assert leaf(tracker)["damaged"] == 0
        eventually(lambda: os.statvfs(small_disk).f_bfree > 0)
        sink.fails = ConnectionError()
        tracker.emit("on the disk again")
        written = b"".join(path.read_bytes() for path in small_disk.rglob("*.seg"))
        assert b"on the disk again" in written


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


def take_all(spool):
    taken, _ = spool.take(1000, 1 << 20)
    for event in taken:
        spool.acknowledge(event)
    return [event.wire for event in taken]
