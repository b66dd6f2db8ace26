"""A thread that brings appended bytes to the disk, so that a blocked backend cannot stop it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

from eventtracking_core.delivery.storage.disk import Disk
from eventtracking_core.delivery.storage.files import Identity, close_ours, identity
from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.files.descriptors import open_high
from eventtracking_core.lifecycle.threads import Bell, start_daemon

__all__ = ["Syncer"]

ENDS_IN: Final = 1.0
"""Seconds that the last sync is waited for: a disk that hangs does not hold the process."""


class Syncer:
    """Syncs what changed, at most once in an interval.

    Args:
        interval: seconds; 0 syncs in the thread that writes, before it goes on.
        disk: does it.
        check: is called before a file is synced, in the thread that does it.
    """

    def __init__(self, interval: float, disk: Disk, check: Callable[[], None]) -> None:
        self._interval = interval
        self._disk = disk
        self._check = check
        self.dirty: int | None = None
        self._make_bell()
        self._finished: SimpleQueue[tuple[int, Identity]] = SimpleQueue()
        self._directories: SimpleQueue[Path] = SimpleQueue()
        self._closing: set[tuple[int, Identity]] = set()

    def _make_bell(self) -> None:
        self._bell = Bell()
        self._ending = self._bell.latch()
        self._ended = self._bell.latch()

    def written(self, descriptor: int) -> None:
        """Note that a file was appended to; needless where it is `dirty`."""
        self.dirty = descriptor
        self._wake()

    def named(self, directories: Iterable[Path]) -> None:
        """Note that directories have new entries: until they are synced, files have no name."""
        for directory in directories:
            self._directories.put(directory)
        self._wake()

    def finish(self, descriptor: int, file: Identity) -> None:
        """Sync a file a last time and close it; it is not appended to any more."""
        if self.dirty == descriptor:
            self.dirty = None
        self._closing.add((descriptor, file))
        self._finished.put((descriptor, file))
        self._wake()

    def close(self) -> None:
        """Sync what is left, and end the thread."""
        if self._bell.is_heard:
            self._ending.set()
            self._bell.ring()
            self._ended.wait(ENDS_IN)

    def forked(self) -> None:
        """Close, in a forked child, what the parent was about to close."""
        for descriptor, file in self._closing:
            close_ours(descriptor, file)

    def _wake(self) -> None:
        if self._interval and not self._bell.is_heard:
            if self._bell.is_outdated:  # gevent or eventlet came in between
                self._make_bell()
            self._bell.is_heard = start_daemon(self._run, "eventtracking-fsync")
        if self._bell.is_heard and not self._ended.is_set:
            self._bell.ring()
        else:
            self._sync_all()

    def _run(self) -> None:
        while not self._ending.is_set:
            self._bell.wait()
            self._ending.wait(self._interval)
            if self.dirty is not None:
                self._check()
            self._sync_all()
        self._sync_all()
        self._ended.set()
        self._sync_all()  # what came meanwhile

    def _sync_all(self) -> None:
        dirty, self.dirty = self.dirty, None
        if dirty is not None:
            self._try(self._disk.sync, dirty)
        failed = [path for path in _drained(self._directories) if not self._sync_directory(path)]
        for descriptor, file in _drained(self._finished):
            if identity(descriptor) == file:  # a program may close what is not its own
                self._try(self._disk.sync, descriptor)
                os.close(descriptor)
            self._closing.discard((descriptor, file))
        for path in failed:
            self._directories.put(path)  # for the next time

    def _sync_directory(self, path: Path) -> bool:
        """Sync a directory; return whether that is done, or needless."""
        try:
            descriptor = open_high(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):  # removed, when all in it was delivered
            return True
        except OSError as error:
            _report(error)
            return False
        try:
            return self._try(self._disk.sync_directory, descriptor)
        finally:
            os.close(descriptor)

    def _try(self, sync: Callable[[int], None], descriptor: int) -> bool:
        try:
            sync(descriptor)
        except OSError as error:
            _report(error)
            return False
        return True


_T = TypeVar("_T")


def _drained(queue: SimpleQueue[_T]) -> list[_T]:
    items = []
    with suppress(Empty):
        while True:
            items.append(queue.get_nowait())
    return items


def _report(error: OSError) -> None:
    report(ERROR, ("fsync", type(error)), "spool: %s", error)
