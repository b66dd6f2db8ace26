"""Programs that emit, and end in every way: run by the tests as `python programs.py ROLE JSON`."""

from __future__ import annotations

import atexit
import json
import signal
import sys
import threading
import time
from itertools import count
from pathlib import Path

import programs_in_need
import programs_that_fork
from emitting import LAST_OF_ALL, PATIENCE, Program, leaf, tell, wait_for_a_signal, wait_until

import eventtracking_core as et


def emit_until_killed(options):
    if options.pop("drains", False):
        et.drain_on_sigterm()
    threads = options.pop("threads", 0)
    program = Program(**options)

    def emit_on():
        while True:
            program.emit()

    for _ in range(threads):
        threading.Thread(target=emit_on, daemon=True).start()
    tell("ready")
    emit_on()


def drain(options):
    Program(**options)
    directory = Path(options["directory"])
    assert wait_until(lambda: not _is_anything_left(directory)), et.get_tracker().stats()


def _is_anything_left(directory):
    try:
        return any(directory.rglob("spool/*/*.seg"))
    except FileNotFoundError:  # a rival removed one just now
        return True


def exit_in_some_way(options):
    way, number = options.pop("way"), options.pop("number")
    if way == "SIGTERM, drained":
        et.drain_on_sigterm()
    program = Program(**options)
    program.emit(number)
    if way == "sys.exit in a thread":
        thread = threading.Thread(target=sys.exit)
        thread.start()
        thread.join()
    tell("ready")
    if way.startswith("SIG"):
        wait_for_a_signal()


def emit_from_signal_handlers(options):
    """Emit from a handler that interrupts emitting, again and again."""
    program = Program(**options)

    def emit_and_ring_again(*_):
        program.emit()
        signal.setitimer(signal.ITIMER_REAL, 0.0002)

    signal.signal(signal.SIGALRM, emit_and_ring_again)
    signal.setitimer(signal.ITIMER_REAL, 0.0002)
    ends = time.monotonic() + options.get("schedule_delay", 1)
    while time.monotonic() < ends:
        program.emit(10)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    tell(json.dumps({"settled": et.get_tracker().flush(PATIENCE), **leaf()}))


def come_and_go(options):
    """Make a directory in the spool and leave it, again and again, while others adopt."""
    program = Program(**options)
    for _ in range(50):
        program.emit(2)
        Program(**options)


class EmitsAtItsEnd:
    """Emits when it is torn down."""

    def __init__(self, emit):
        self._emit = emit

    def __del__(self):
        self._emit("late")


KEPT_TO_THE_END = []


def emit_at_the_end(options):
    stage, is_late = options.pop("stage"), options.pop("is_late")
    program = Program(**options)

    def emit(*_):
        program.emit() if not is_late else et.emit("late")

    if stage == "after our exit handler":
        LAST_OF_ALL.append(emit)
    elif stage == "before our exit handler":
        atexit.register(emit)
    elif stage == "threading":
        threading._register_atexit(emit)  # noqa: SLF001  as executors do
    elif stage == "a module's teardown":
        KEPT_TO_THE_END.append(EmitsAtItsEnd(emit))
    elif stage == "daemon threads":
        started = threading.Barrier(4)
        for _ in range(3):
            threading.Thread(target=_emit_forever, args=(started,), daemon=True).start()
        started.wait()
    program.emit()


def _emit_forever(started):
    started.wait()
    for _ in count():
        et.emit("late")


if __name__ == "__main__":
    roles = vars(programs_in_need) | vars(programs_that_fork) | globals()
    roles[sys.argv[1]](json.loads(sys.argv[2]))
