"""P16: torn and damaged segments are quarantined and counted, and never fatal."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spool_fixtures import take_all

from eventtracking_core.delivery.storage.disk import Disk
from eventtracking_core.delivery.storage.format import (
    MAGIC,
    MARK,
    frame,
)
from eventtracking_core.delivery.storage.spool import Spool


class Unsynced(Disk):
    """Brings nothing to the disk, which takes its time."""

    def sync(self, descriptor):
        pass

    sync_directory = sync


def leave(payloads, directory):
    """Leave a segment behind; return its path, and where each record begins and ends."""
    with opened(directory) as spool:
        for payload in payloads:
            assert spool.append(payload)
    (path,) = Path(directory).rglob("*.seg")
    sizes = [len(frame(payload)) for payload in payloads]
    ends = list(accumulate(sizes, initial=path.stat().st_size - sum(sizes)))
    return path, list(pairwise(ends))


def is_contained(some, others):
    """Return whether some are among others, in the same order."""
    rest = iter(others)
    return all(each in rest for each in some)


@contextmanager
def opened(directory):
    place = Path(directory, "spool")
    spool = Spool(place, max_bytes=1 << 24, fsync_interval=1, lost=print, disk=Unsynced())
    try:
        yield spool
    finally:
        spool.close()


def adopted(directory):
    """Return what the next process reads, how many damages it finds, and what it quarantines."""
    with opened(directory) as spool:
        spool.seek_orphans()
        wires = take_all(spool)
    aside = [path.read_bytes() for path in sorted(Path(directory, "damaged").glob("*"))]
    return wires, spool.damaged, aside


payloads = st.lists(
    st.one_of(
        st.binary(min_size=1, max_size=400),
        st.binary(max_size=40).map(lambda some: some + MARK + some),
        st.binary(min_size=1, max_size=40).map(frame),
    ),
    min_size=1,
    max_size=20,
)


@given(payloads=payloads, data=st.data())
def test_every_undamaged_record_is_read_whatever_happens_to_the_others(
    payloads, data, tmp_path_factory
):
    directory = tmp_path_factory.mktemp("damaged")
    path, places = leave(payloads, directory)
    content = bytearray(path.read_bytes())
    flips = data.draw(st.sets(st.integers(len(MAGIC), len(content) - 1), max_size=4))
    for at in flips:
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    kept = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    path.write_bytes(content[:kept])

    wires, damages, aside = adopted(directory)

    sound = [
        payload
        for payload, (begin, end) in zip(payloads, places, strict=True)
        if end <= kept and not any(begin <= at < end for at in flips)
    ]
    assert is_contained(sound, wires)
    assert len(aside) == damages
    if damages == 0:  # but for what was cut off behind a sound record
        assert wires == payloads[: len(wires)]
    assert not path.exists()


def test_bytes_that_are_no_record_are_quarantined_unchanged(tmp_path):
    path, _ = leave([b"first", b"last"], tmp_path)
    content = path.read_bytes()
    path.write_bytes(content.replace(frame(b"last"), b"nonsense" + frame(b"last")) + b"torn")
    assert adopted(tmp_path) == ([b"first", b"last"], 2, [b"nonsense", b"torn"])


@pytest.mark.parametrize("content", [b"", b"e", b"\0" * 5000])
def test_a_file_that_was_hardly_begun_harms_nobody(content, tmp_path):
    path, _ = leave([b"first"], tmp_path)
    path.with_name("00000000.seg").write_bytes(content)
    wires, _, _ = adopted(tmp_path)
    assert wires == [b"first"]
    assert not path.parent.exists()


def test_damage_while_the_process_lives_is_counted_and_ends_no_flush(
    tracker_to, sink, journals, leaf
):
    sink.fails = ConnectionError()
    tracker = tracker_to(sink, initial_interval=60, schedule_delay=60)
    ids = [tracker.emit("numbered", {"n": n}) for n in range(10)]
    (path,) = journals.segments
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    sink.fails = None
    assert tracker.flush(60)
    counts = leaf(tracker)
    assert counts["dropped"] == {"damaged": 1}
    assert counts["damaged"] == 1
    assert counts["delivered"] == 9
    assert set(sink.ids) < set(ids)


def test_a_segment_that_is_cut_while_the_process_lives_ends_no_flush(
    tracker_to, sink, journals, leaf
):
    tracker = tracker_to(sink, schedule_delay=60)
    for n in range(10):
        tracker.emit("numbered", {"n": n})
    (path,) = journals.segments
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert tracker.flush(60)
    counts = leaf(tracker)
    assert 0 < counts["dropped"]["damaged"] < 10
    assert counts["pending"] == 0
    last = tracker.emit("one more")
    assert tracker.flush(60)
    assert sink.ids[-1] == last
