"""What the programs have in common: a configured tracker, and what it acknowledged and delivered.

An id is written into the file `acknowledged` once `emit` has returned it; the sink writes what it
delivers into the file `delivered`. Both are written past Python's buffers.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from pathlib import Path

LAST_OF_ALL = []
"""What is called by an exit handler that was there before ours, and so runs after it."""

atexit.register(lambda: [call() for call in LAST_OF_ALL])

import eventtracking_core as et  # noqa: E402  after the handler
from eventtracking_core import deadlines  # noqa: E402

PATIENCE = 60

NEVER = threading.Event()


def wait_until(condition):
    """Wait for a condition, for as long as there is patience; return whether it came true."""
    return deadlines.wait_until(condition, time.monotonic() + PATIENCE, 0.002)


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


def leaf():
    stats = et.get_tracker().stats()
    return stats["tree"]["backends"][0]["backends"][0]
