"""Spools of dead processes: each event goes to one heir, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from eventtracking_core.delivery import spool_status

pytestmark = pytest.mark.native


def test_more_orphans_than_are_adopted_at_once(spool_at, read_all, tmp_path):
    for number in range(30):
        spool = spool_at()
        spool.append(b"%d" % number)
        spool.close()
    heir = spool_at()
    assert heir.seek_orphans()
    assert sorted(map(int, read_all(heir))) == list(range(30))
    assert list(Path(tmp_path, "spool").iterdir()) == []


def test_adopted_events_are_recovered_in_the_ledger(tracker_to, sink, leaf, eventually, journals):
    first = tracker_to(sink)
    sink.fails = ConnectionError()
    ids = [first.emit("one"), first.emit("two")]
    first.shutdown(0.1)
    eventually(
        lambda: (
            not any(each.is_alive for each in spool_status(journals.directory / "r.sink" / "spool"))
        )
    )
    sink.fails = None
    second = tracker_to(sink)
    eventually(lambda: journals.segments == [])
    assert second.shutdown(60)
    assert sink.ids == ids
    counts = leaf(second)
    assert counts["recovered"] == counts["accepted"] == counts["delivered"] == 2


def test_acknowledged_records_are_not_read_again_by_the_next_process(spool_at, read_all):
    spool = spool_at()
    for number in range(10):
        spool.append(b"%d" % number)
    taken, _ = spool.take(6, 1000)
    for _, segment in taken:
        spool.acknowledge(segment)
    spool.close()
    heir = spool_at()
    heir.seek_orphans()
    assert read_all(heir) == [b"6", b"7", b"8", b"9"]


def test_a_directory_whose_process_died_before_it_locked_it_is_removed(spool_at, tmp_path):
    for name in ("1-begun", "2-locked"):
        Path(tmp_path, "spool", name).mkdir(parents=True)
    Path(tmp_path, "spool", "2-locked", "lock").touch()
    assert not spool_at().seek_orphans()
    assert list(Path(tmp_path, "spool").iterdir()) == []


def test_a_backlog_is_delivered_beside_a_flow_that_never_ends(spool_at):
    orphan = spool_at()
    for number in range(100):
        orphan.append(b"adopted %d" % number)
    orphan.close()
    heir = spool_at()
    heir.seek_orphans()
    adopted = []
    for number in range(30):
        for _ in range(10):
            heir.append(b"own %d" % number)
        taken, _ = heir.take(10, 1 << 20)
        adopted += [wire for wire, _ in taken if wire.startswith(b"adopted")]
        for _, segment in taken:
            heir.acknowledge(segment)
    assert adopted == [b"adopted %d" % number for number in range(100)]
