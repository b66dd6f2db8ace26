"""Programs that emit, and end in every way: run by the tests as `python programs.py ROLE JSON`.

Each writes an id into the file `acknowledged` once `emit` has returned it; the sink writes what it
delivers into the file `delivered`. Both are written past Python's buffers.
"""

from __future__ import annotations

import atexit
import json
import logging
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

LAST_OF_ALL = []
"""What is called by an exit handler that was there before ours, and so runs after it."""

atexit.register(lambda: [call() for call in LAST_OF_ALL])

import eventtracking_core as et  # noqa: E402  after the handler

PATIENCE = 60

NEVER = threading.Event()


def wait_until(condition):
    """Wait for a condition, for as long as there is patience; return whether it came true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() >= deadline:
            return False
        NEVER.wait(0.002)
    return True


class Journal:
    """Lines of a file that outlive whoever wrote them."""

    def __init__(self, path):
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, *lines):
        # A process that is killed may leave half a line: what follows must not continue it.
        os.write(self._descriptor, "".join(f"\n{line}\n" for line in lines).encode())


class Sink:
    """Delivers into a journal, refuses, or never answers."""

    def __init__(self, directory, behaviour="healthy"):
        self._journal = Journal(Path(directory, "delivered"))
        self._behaviour = behaviour

    def send_batch(self, events, *, timeout):
        if self._behaviour == "refusing":
            raise ConnectionRefusedError
        if self._behaviour == "black hole":
            threading.Event().wait()
        self._journal.write(*(event["id"] for event in events))


class Program:
    """A configured tracker, and the journal of what it acknowledged."""

    def __init__(self, directory, behaviour="healthy", shutdown_timeout=10, **delivery):
        self.directory = Path(directory)
        self.acknowledged = Journal(self.directory / "acknowledged")
        backends = {"sink": Sink(directory, behaviour)}
        delivery = {"directory": str(self.directory), "initial_interval": 0.05, **delivery}
        et.configure(
            {
                "shutdown_timeout": shutdown_timeout,
                "backends": {"r": {"delivery": delivery, "backends": backends}},
            }
        )

    def emit(self, number=1):
        for _ in range(number):
            self.acknowledged.write(et.emit("acknowledged", {"process": os.getpid()}))


def tell(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def wait_for_a_signal():
    while True:  # one that comes just before `signal.pause` would not end it
        NEVER.wait(0.02)


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
    tell(json.dumps({"settled": et.get_tracker().flush(PATIENCE), **_leaf()}))


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


def come_and_go(options):
    """Make a directory in the spool and leave it, again and again, while others adopt."""
    program = Program(**options)
    for _ in range(50):
        program.emit(2)
        Program(**options)


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
    tell(json.dumps({"failed": failed, "settled": et.get_tracker().flush(PATIENCE), **_leaf()}))


def _child(program):
    """Emit in a forked child; return 0 where it began empty and its ledger is in balance."""
    began = _leaf()
    program.emit(3)
    settled = et.get_tracker().flush(PATIENCE)
    ended = _leaf()
    counts = [ended[key] for key in ("accepted", "delivered", "recovered", "pending")]
    own = counts[0] - counts[2] == counts[1] - counts[2] == 3 and counts[3] == 0
    return 0 if began["accepted"] == 0 and settled and own else 1


def _leaf():
    stats = et.get_tracker().stats()
    return stats["tree"]["backends"][0]["backends"][0]


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


class Counts:
    """Delivers into nothing."""

    def send_batch(self, events, *, timeout):
        pass


def _configured(directory, **delivery):
    delivery = {"directory": directory, "initial_interval": 0.05, **delivery}
    backends = {"r": {"delivery": delivery, "backends": {"sink": Counts()}}}
    et.configure({"backends": backends})


def emit_where_the_spool_is_removed(options):
    """Emit 500 events after the spool was removed, and wait to be killed."""
    program = Program(**options)
    et.emit("gone")
    shutil.rmtree(program.directory / "r.sink" / "spool")
    program.emit(500)
    tell("ready")
    wait_for_a_signal()


def emit_while_the_disk_is_full(options):
    """Emit 200 events that the disk refuses; when it has taken them, wait to be killed."""
    program = Program(**options)
    program.emit()
    et.get_tracker().flush(1)  # a worker takes its first batch at once
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
    ids = [et.emit("refused") for _ in range(200)]
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    program.acknowledged.write(*ids)
    assert wait_until(lambda: all(each.encode() in _spooled(program.directory) for each in ids))
    tell("ready")
    wait_for_a_signal()


def _spooled(directory):
    try:
        return b"".join(path.read_bytes() for path in directory.rglob("spool/*/*.seg"))
    except FileNotFoundError:  # it was delivered just now
        return b""


def close_all_descriptors(options):
    """Do as programs that become daemons; then open files, which get the same numbers."""
    _configured(**options)
    for _ in range(100):
        et.emit("before")
    os.closerange(3, 256)
    path = Path(options["directory"], "foreign")
    path.write_text("not yours")
    files = [os.open(path, os.O_RDWR) for _ in range(30)]
    NEVER.wait(0.002)  # a moment in which nothing is emitted
    for _ in range(100):
        et.emit("after")
    settled = et.get_tracker().flush(PATIENCE)
    still_open = all(os.fstat(each).st_ino == path.stat().st_ino for each in files)
    foreign = path.read_text() if still_open else "closed"
    tell(json.dumps({"settled": settled, "foreign": foreign, **_leaf()}))


def run_out_of_descriptors(options):
    """Have no descriptor left for a while, in which segments would have to be begun."""
    _configured(max_spool_bytes=2_400_000, **options)
    text = "x" * 2000

    def emit(number=300):
        for _ in range(number):
            et.emit("filled", {"text": text})

    emit()
    et.get_tracker().flush(PATIENCE)
    before = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    files = []
    with suppress(OSError):
        while True:
            files.append(os.open("/dev/null", os.O_RDONLY))
    emit()
    NEVER.wait(0.5)  # for the threads to find that there is none
    for descriptor in files:
        os.close(descriptor)
    emit()
    settled = et.get_tracker().flush(PATIENCE)
    wait_until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before)
    counts = {
        "settled": settled,
        "syncs": any(each.name == "eventtracking-fsync" for each in threading.enumerate()),
        "leaked": len(list(Path("/proc/self/fd").iterdir())) - before,
    }
    et.get_tracker().shutdown()
    segments = len(list(Path(options["directory"]).rglob("spool/*/*.seg")))
    tell(json.dumps({**counts, "segments": segments, **_leaf()}))


def emit_as_nobody(options):
    """Emit where the directory is somebody else's."""
    _configured(schedule_delay=60, **options)
    os.setgid(65534)
    os.setuid(65534)
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logging.getLogger("eventtracking").addHandler(handler)
    et.emit("kept in memory")
    refused = any("cannot be written" in line for line in lines)
    tell(json.dumps({"pending": _leaf()["pending"], "refused": refused}))
    os._exit(0)


if __name__ == "__main__":
    globals()[sys.argv[1]](json.loads(sys.argv[2]))
