"""P28: a spool that is removed, replaced or refused for a while costs nothing that is not gone."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import UTC, datetime

import pytest

from eventtracking_core.delivery.storage.disk import Disk
from eventtracking_core.delivery.storage.format import (
    HEADER_SIZE,
    frame,
)
from eventtracking_core.encoding import encode_msgpack


def remove(spool):
    shutil.rmtree(spool)


def replace(spool):
    spool.rename(spool.with_name("old"))
    spool.mkdir(mode=0o700)


def remove_segments(spool):
    for path in spool.rglob("*.seg"):
        path.unlink()


@pytest.mark.parametrize("damage", [remove, replace, remove_segments])
def test_what_is_appended_after_the_spool_was_removed_is_there_for_the_next_process(
    damage, spool_at, read_all, tmp_path
):
    spool = spool_at(fsync_interval=0)
    before = [b"before %d" % number for number in range(20)]
    after = [b"after %d" % number for number in range(500)]
    for payload in before:
        spool.append(payload)
    damage(tmp_path / "spool")
    for payload in after:
        spool.append(payload)
    left = b"".join(path.read_bytes() for path in (tmp_path / "spool").rglob("*.seg"))
    assert all(frame(payload) in left for payload in before + after)
    assert read_all(spool) == before + after


def test_a_killed_process_whose_spool_was_removed_left_what_came_later(start, run, journals):
    process = start("emit_where_the_spool_is_removed", mode="spool", behaviour="refusing")
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.wait()
    run("drain", mode="spool")
    assert len(journals.acknowledged) == 500
    assert set(journals.acknowledged) - set(journals.delivered) == set()


def test_a_spool_that_is_removed_again_and_again_under_load_loses_nothing(
    tracker_to, sink, leaf, tmp_path
):
    sink.fails = ConnectionError()
    tracker = tracker_to(sink)
    ids = []
    for _ in range(5):
        ids += [tracker.emit("numbered") for _ in range(100)]
        while (tmp_path / "r.sink").exists():  # the tracker removes files at the same time
            shutil.rmtree(tmp_path / "r.sink", ignore_errors=True)
        ids += [tracker.emit("numbered") for _ in range(100)]
    sink.fails = None
    assert tracker.flush(60)
    assert set(sink.ids) == set(ids)
    counts = leaf(tracker)
    assert (counts["accepted"], counts["delivered"], counts["dropped"]) == (1000, 1000, {})


def test_after_all_descriptors_were_closed_the_spool_goes_on(run):
    """Programs that become daemons do that; other files may have the numbers then."""
    counts = run("close_all_descriptors", mode="spool", schedule_delay=30)
    assert counts["foreign"] == "not yours"
    assert counts["delivered"] == counts["accepted"] == 200


def test_without_descriptors_nothing_is_lost_counted_twice_or_left(run):
    counts = run("run_out_of_descriptors", mode="spool")
    assert counts["settled"]
    assert (counts["accepted"], counts["delivered"], counts["dropped"]) == (900, 900, {})
    assert counts["segments"] == 0
    assert counts["leaked"] <= 0
    assert counts["syncs"]


class Failing(Disk):
    """Refuses for a while."""

    def __init__(self, number):
        self.number = None
        self._error = number

    def write(self, descriptor, record, offset):
        if self.number is None:
            return Disk.write(descriptor, record, offset)
        raise OSError(self._error, os.strerror(self._error))


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO, errno.EDQUOT])
def test_a_disk_that_refuses_for_a_while_is_used_again(number, spool_at, read_all):
    disk = Failing(number)
    spool = spool_at(disk=disk)
    spool.append(b"before")
    disk.number = number
    with pytest.raises(OSError, match=os.strerror(number)):
        spool.append(b"refused")
    disk.number = None
    spool.append(b"after")
    assert read_all(spool) == [b"before", b"after"]


def event(number):
    time = datetime.now(UTC)
    return {"id": str(number), "name": "n", "timestamp": time, "context": {}, "data": {}}


def leave(spool_at, payload):
    spool = spool_at()
    spool.append(payload)
    spool.close()


def test_orphans_that_cannot_be_read_do_not_stand_in_the_way_of_others(
    spool_at, read_all, tmp_path, caplog
):
    for number in range(30):
        leave(spool_at, b"%d" % number)
    directories = sorted((tmp_path / "spool").iterdir())
    for path in directories[:10]:
        (path / "lock").unlink()
        (path / "lock").mkdir()
    for path in directories[10:20]:
        (segment,) = path.glob("*.seg")
        segment.unlink()
        segment.mkdir()
    heir = spool_at()
    heir.seek_orphans()
    assert len(read_all(heir)) == 10
    assert "tried again later" in caplog.text
    assert len(list((tmp_path / "spool").iterdir())) == 20


def test_an_orphan_whose_lock_was_removed_is_adopted(spool_at, read_all, tmp_path):
    leave(spool_at, b"kept")
    (lock,) = tmp_path.rglob("lock")
    lock.unlink()
    heir = spool_at()
    heir.seek_orphans()
    assert read_all(heir) == [b"kept"]
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.fixture
def refusing(sink):
    sink.fails = ConnectionError()
    return sink


def test_the_adopted_backlog_is_pending(tracker_to, refusing, leaf, spool_at, eventually):
    for _ in range(3):
        spool = spool_at("r.sink")
        for number in range(200):
            spool.append(encode_msgpack(event(number)))
        spool.close()
    heir = tracker_to(refusing, max_batch_size=10)
    eventually(lambda: leaf(heir)["pending"] == 600)
    counts = leaf(heir)
    assert counts["accepted"] == counts["recovered"] == 600
    refusing.fails = None
    eventually(lambda: leaf(heir)["delivered"] == 600)
    counts = leaf(heir)
    assert (counts["accepted"], counts["pending"]) == (600, 0)


def test_pipes_and_devices_among_the_files_hold_nobody_up(spool_at, read_all, tmp_path):
    leave(spool_at, b"kept")
    (segment,) = tmp_path.rglob("*.seg")
    os.mkfifo(segment.with_name("00000000.seg"))
    os.mkfifo(segment.with_name("00000002.seg"))
    strange = tmp_path / "spool" / "1-strange"
    strange.mkdir()
    os.mkfifo(strange / "lock")
    heir = spool_at()
    heir.seek_orphans()
    assert read_all(heir) == [b"kept"]


@pytest.mark.parametrize(
    "content", [b"etspool2" + bytes(100), b"PK\3\4 something else" * 10, b"a note"]
)
def test_a_file_of_a_format_that_is_not_known_is_left_alone(
    content, spool_at, read_all, tmp_path, caplog
):
    """P36"""
    leave(spool_at, b"kept")
    (segment,) = tmp_path.rglob("*.seg")
    later = segment.with_name("00000000.seg")
    later.write_bytes(content)
    for _ in range(2):
        heir = spool_at()
        heir.seek_orphans()
        read_all(heir)
        heir.close()
    assert later.read_bytes() == content
    assert heir.damaged == 0
    assert not segment.exists()
    assert "is of another format" in caplog.text


def test_a_segment_whose_first_bytes_are_damaged_is_read(spool_at, read_all, tmp_path):
    leave(spool_at, b"kept")
    (segment,) = tmp_path.rglob("*.seg")
    segment.write_bytes(b"\0" * HEADER_SIZE + segment.read_bytes()[HEADER_SIZE:])
    heir = spool_at()
    heir.seek_orphans()
    assert read_all(heir) == [b"kept"]


def test_marks_without_records_make_one_file_of_damage(spool_at, read_all, tmp_path):
    leave(spool_at, b"kept")
    (segment,) = tmp_path.rglob("*.seg")
    with segment.open("ab") as file:
        file.write(b"\xe7\x7e\x11\x0a" * 50_000)
    heir = spool_at()
    heir.seek_orphans()
    assert read_all(heir) == [b"kept"]
    (aside,) = (tmp_path / "damaged").iterdir()
    assert aside.stat().st_size == 200_000
