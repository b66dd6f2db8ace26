"""P10: a fork at any moment loses nothing, delivers nothing twice and hangs nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from eventtracking_core.delivery.storage.spool import Spool


def never(number):
    raise AssertionError(f"{number} events were lost")


def delivered_once(journals):
    assert len(journals.delivered) == len(set(journals.delivered))
    return set(journals.delivered) == set(journals.acknowledged)


@pytest.mark.parametrize("mode", ["queue", "spool"])
def test_a_hundred_forks_under_two_emitting_threads(mode, run, journals):
    told = run("fork_under_threads", mode=mode, forks=100, fsync_interval=0.01, schedule_delay=0.01)
    assert told["failed"] == 0
    assert told["settled"]
    assert told["accepted"] == told["delivered"]
    run("drain", mode="spool")
    assert delivered_once(journals)
    assert journals.segments == []


@pytest.mark.parametrize("mode", ["queue", "spool"])
def test_workers_of_a_preloaded_server_deliver_and_their_successors_adopt(mode, run, journals):
    """In spool mode the killed worker's events are delivered while the server still runs."""
    assert run("serve_preloaded", mode=mode, schedule_delay=0.05) == [True, True, True]
    lost = set(journals.acknowledged) - set(journals.delivered)
    assert lost == set() if mode == "spool" else len(lost) <= 50
    assert journals.segments == []


@pytest.mark.parametrize("mode", ["queue", "spool"])
def test_children_of_multiprocessing_deliver_what_they_emitted(mode, run, journals):
    assert run("use_multiprocessing", mode=mode) == [0, 0, 0, 0]
    assert delivered_once(journals)


def test_a_child_that_exits_does_not_let_go_of_its_parents_spool(start, spool_at):
    parent = start("fork_and_lose_a_child", mode="spool", behaviour="black hole")
    assert parent.stdout.readline() == "ready\n", parent.stderr.read()
    assert not spool_at("r.sink").seek_orphans()


def test_a_child_that_lives_does_not_keep_its_dead_parents_spool(start, run, journals):
    parent = start("leave_a_child_and_wait", mode="spool", behaviour="black hole")
    assert parent.stdout.readline() == "ready\n", parent.stderr.read()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    run("drain", mode="spool")
    assert set(journals.delivered) == set(journals.acknowledged)


HELD = """
    import os, sys, threading
    from pathlib import Path
    from eventtracking_core.delivery.storage.disk import Disk
    from eventtracking_core.delivery.storage.spool import Spool

    class Held(Disk):
        'Whoever writes or syncs waits, but in the child.'
        reached, released, holds = threading.Event(), threading.Event(), sys.argv[2]

        def wait(self, what):
            if what == self.holds and os.getpid() == parent:
                self.reached.set()
                self.released.wait()

        def write(self, descriptor, record, offset):
            self.wait("write")
            return Disk.write(descriptor, record, offset)

        def sync(self, descriptor):
            self.wait("sync")

    def wires():
        taken, _ = spool.take(9, 999)
        for _, segment in taken:
            spool.acknowledge(segment)
        return [wire for wire, _ in taken]

    parent, disk = os.getpid(), Held()
    spool = Spool(Path(sys.argv[1], "spool"), max_bytes=1 << 20, fsync_interval=float(sys.argv[3]),
                  lost=print, disk=disk)
    writer = threading.Thread(target=spool.append, args=(b"the parent's",))
    writer.start()
    disk.reached.wait()
    child = os.fork()
    if child == 0:
        spool.forked()
        spool.append(b"the child's")
        os._exit(wires() != [b"the child's"])
    assert os.waitpid(child, 0)[1] == 0
    disk.released.set()
    writer.join()
    assert wires() == [b"the parent's"]
"""


@pytest.mark.parametrize(("call", "interval"), [("write", 0.1), ("sync", 0), ("sync", 0.01)])
def test_a_fork_while_another_thread_writes_or_syncs(call, interval, tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(HELD), tmp_path, call, str(interval)]
    subprocess.run(command, timeout=60, check=True)


def test_a_spool_that_was_forked_is_read_by_its_parent_alone(spool_at, read_all, tmp_path):
    parents, childs = (
        spool_at(),
        Spool(tmp_path / "spool", max_bytes=1 << 20, fsync_interval=1, lost=never),
    )
    parents.append(b"the parent's")
    assert not childs.seek_orphans()
    assert read_all(parents) == [b"the parent's"]
