"""Programs that fork, with threads or without."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading

from emitting import PATIENCE, Program, leaf, tell, wait_for_a_signal, wait_until

import eventtracking_core as et


def leave_a_child_and_wait(options):
    program = Program(**options)
    program.emit(10)
    if os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
    tell("ready")
    wait_for_a_signal()


def fork_and_lose_a_child(options):
    program = Program(**options)
    program.emit(10)
    child = os.fork()
    if child == 0:
        sys.exit()  # with everything that runs at a plain exit
    os.waitpid(child, 0)
    tell("ready")
    sys.stdin.read()
    os._exit(0)


def leave_orphans(options):
    """Many processes that end without a word, each leaving events in the spool."""
    number = options.pop("number")
    program, children = Program(**options), []
    for _ in range(number):
        children.append(os.fork())
        if children[-1] == 0:
            program.emit(5)
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)


def fork_under_threads(options):
    sys.setswitchinterval(1e-6)
    forks = options.pop("forks")
    program, ended = Program(**options), threading.Event()

    def emit_on():
        while not ended.wait(0.0005):
            program.emit(10)

    threads = [threading.Thread(target=emit_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    failed = 0
    for _ in range(forks):
        child = os.fork()
        if child == 0:
            os._exit(_child(program))
        failed += not _ended_well(child)
    ended.set()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(0.005)
    tell(json.dumps({"failed": failed, "settled": et.get_tracker().flush(PATIENCE), **leaf()}))


def _child(program):
    """Emit in a forked child; return 0 where it began empty and its ledger is in balance."""
    began = leaf()
    program.emit(3)
    settled = et.get_tracker().flush(PATIENCE)
    ended = leaf()
    counts = [ended[key] for key in ("accepted", "delivered", "recovered", "pending")]
    own = counts[0] - counts[2] == counts[1] - counts[2] == 3 and counts[3] == 0
    return 0 if began["accepted"] == 0 and settled and own else 1


def _ended_well(child):
    statuses = []

    def has_ended():
        ended, status = os.waitpid(child, os.WNOHANG)
        statuses.append(status)
        return ended

    if wait_until(has_ended):
        return statuses[-1] == 0
    os.kill(child, signal.SIGKILL)
    return False


def serve_preloaded(options):
    """Configure, emit, then fork workers; one is killed and another takes its place."""
    program = Program(**options)
    program.emit(5)
    workers = [_worker(program) for _ in range(2)]
    victim, told = _worker(program, waits=True)
    os.read(told, 1)
    os.kill(victim, signal.SIGKILL)
    os.waitpid(victim, 0)
    workers.append(_worker(program))
    tell(json.dumps([_ended_well(pid) for pid, _ in workers]))


def _worker(program, *, waits=False):
    told, tells = os.pipe()
    pid = os.fork()
    if pid:
        return pid, told
    program.emit(50)
    os.write(tells, b".")
    if waits:
        wait_for_a_signal()
    sys.exit()


def use_multiprocessing(options):
    program = Program(**options)
    program.emit(5)
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_work, args=(program,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    tell(json.dumps([process.exitcode for process in processes]))


def _work(program):
    program.emit(25)
