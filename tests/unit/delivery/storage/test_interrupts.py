"""Interrupts at any call of a spool leave it free for the other threads."""

from __future__ import annotations

from contextlib import suppress

import pytest
from interrupting import calls_interrupted, in_a_thread

from eventtracking_core.lifecycle.interrupts import StoredError

pytestmark = [
    pytest.mark.native,
    # Some interrupts strike where the interpreter closes an iterator.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def store_late(spool):
    """Append an event that waited in memory; return False if another thread goes on appending."""
    with suppress(StoredError):
        try:
            spool.appender.append_later(b"late")
        except BlockingIOError:
            return False
    return True


def is_free(spool):
    return in_a_thread(lambda: store_late(spool))


def test_as_an_event_is_stored_late(spool_at):
    spool = spool_at()
    places = 0
    for _ in calls_interrupted(lambda: store_late(spool)):
        places += 1
        assert is_free(spool)
    assert places > 10


@pytest.mark.slow
def test_as_the_disk_space_of_delivered_events_is_freed(spool_at):
    spools = []

    def acknowledge():
        segment, *_ = (segment for _, segment in spools[-1].take(1, 1_000)[0])
        spools[-1].acknowledge(segment)

    def prepare():
        spools.append(spool_at(str(len(spools)), max_bytes=4_000))
        spools[-1].append(bytes(500))

    prepare()
    for _ in calls_interrupted(acknowledge):
        assert is_free(spools[-1])
        prepare()
    assert len(spools) > 10


def test_as_it_ends(spool_at):
    spools = []

    def prepare():
        spools.append(spool_at(str(len(spools))))
        spools[-1].append(b"pending")

    prepare()
    for _ in calls_interrupted(lambda: spools[-1].close()):  # noqa: PLW0108  the last one
        assert is_free(spools[-1])
        prepare()
    assert len(spools) > 10
