"""A thread that brings appended bytes to the disk, so that a blocked backend cannot stop it."""

from __future__ import annotations

import logging
import os
from queue import Empty, SimpleQueue
from threading import Thread

from eventtracking_core.diagnostics import describe, report

__all__ = ["Syncer"]


class Syncer:
    """Syncs the file that is appended to, at most once in an interval.

    Args:
        interval: seconds; 0 syncs in the thread that writes, before it goes on.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._dirty: int | None = None
        self._finished: SimpleQueue[int | None] = SimpleQueue()
        self._closing: list[int] = []
        self._thread: Thread | None = None

    def written(self, descriptor: int) -> None:
        """Note that a file was appended to."""
        if self._interval == 0:
            os.fdatasync(descriptor)
            return
        self._dirty = descriptor
        if self._thread is None:
            self._start()

    def finish(self, descriptor: int) -> None:
        """Sync a file a last time and close it; it is not appended to any more."""
        if self._dirty == descriptor:
            self._dirty = None
        if self._thread is None:
            _sync(descriptor)
            os.close(descriptor)
        else:
            self._closing.append(descriptor)
            self._finished.put(descriptor)

    def descriptors(self) -> set[int]:
        """Return the files that are still to be closed."""
        return set(self._closing)

    def close(self) -> None:
        """Sync what is left, and end the thread."""
        if self._thread is not None:
            self._finished.put(None)
            self._thread.join()
            self._thread = None

    def _start(self) -> None:
        thread = Thread(target=self._run, name="eventtracking-fsync", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is ending: sync at once instead
            self._interval = 0
            return
        self._thread = thread

    def _run(self) -> None:
        while True:
            try:
                descriptor = self._finished.get(timeout=self._interval)
            except Empty:
                dirty, self._dirty = self._dirty, None
                if dirty is not None:
                    _sync(dirty)
                continue
            if descriptor is None:
                return
            _sync(descriptor)
            self._closing.remove(descriptor)
            os.close(descriptor)


def _sync(descriptor: int) -> None:
    try:
        os.fdatasync(descriptor)
    except OSError as error:
        report(logging.ERROR, ("fsync", type(error)), "spool: %s", describe(error))
