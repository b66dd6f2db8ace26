"""Threads that append at once: each event is stored once, and in the order of its thread."""

from __future__ import annotations

import threading

import pytest

from eventtracking_core.delivery.storage.disk import Disk

pytestmark = pytest.mark.native

ENDS_IN = 60


def append_at_once(spool, numbers):
    """Append so many events in each of some threads, which begin together."""
    ready = threading.Barrier(len(numbers))

    def run(name, number):
        ready.wait(ENDS_IN)
        for n in range(number):
            assert spool.append(b"%d %d" % (name, n))

    threads = [
        threading.Thread(target=run, args=(name, number), daemon=True)
        for name, number in enumerate(numbers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ENDS_IN)
        assert not thread.is_alive()


def everything(numbers):
    return sorted((name, n) for name, number in enumerate(numbers) for n in range(number))


@pytest.mark.parametrize("numbers", [[2000] * 8, [3000, 10], [5000, 1, 200, 3000], [20] * 40])
def test_each_event_of_each_thread_is_stored_once_in_its_order(numbers, spool_at, read_all):
    spool = spool_at()
    append_at_once(spool, numbers)
    stored = [tuple(map(int, wire.split())) for wire in read_all(spool)]
    assert sorted(stored) == everything(numbers)
    for name, number in enumerate(numbers):
        assert [n for each, n in stored if each == name] == list(range(number))


def test_threads_that_appended_at_once_do_so_alone_afterwards(spool_at, read_all):
    spool = spool_at()
    for numbers in ([1000] * 4, [1000], [1000] * 4):
        append_at_once(spool, numbers)
    assert len(read_all(spool)) == 9000


class Refusing(Disk):
    """Refuses every third record."""

    def __init__(self):
        self.asked = 0

    def write(self, descriptor, record, offset):
        self.asked += 1
        if self.asked % 3 == 0:
            raise OSError(28, "No space left on device")
        return Disk.write(descriptor, record, offset)


def test_a_record_that_the_disk_refuses_is_the_failure_of_its_thread(spool_at, read_all):
    spool = spool_at(disk=Refusing())
    stored = set()

    class Noted:
        def append(self, wire):
            try:
                spool.append(wire)
            except OSError:
                return True
            stored.add(wire)
            return True

    append_at_once(Noted(), [1000] * 4)
    assert 2000 < len(stored) < 4000
    assert sorted(read_all(spool)) == sorted(stored)
