"""Programs that lose their spool, their disk, their descriptors or their rights."""

from __future__ import annotations

import json
import logging
import os
import resource
import shutil
import threading
from contextlib import suppress
from pathlib import Path

from emitting import NEVER, PATIENCE, Program, leaf, tell, wait_for_a_signal, wait_until

import eventtracking_core as et


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
    tell(json.dumps({"settled": settled, "foreign": foreign, **leaf()}))


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
    tell(json.dumps({**counts, "segments": segments, **leaf()}))


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
    tell(json.dumps({"pending": leaf()["pending"], "refused": refused}))
    os._exit(0)
