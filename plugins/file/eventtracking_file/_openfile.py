"""The open file of one process, to which it appends lines."""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from math import inf
from pathlib import Path
from sys import maxsize
from time import monotonic
from typing import Final

from eventtracking_core.files.descriptors import open_high
from eventtracking_core.files.locks import lock
from eventtracking_file._unfinished import end_last_line, part_lines

__all__ = ["CHECK_INTERVAL", "NOT_OPEN", "OpenFile", "open_file"]

CHECK_INTERVAL: Final = 0.1
"""Seconds after which the file is checked again: does it still exist, and is a rotation due?"""

_ATTEMPTS: Final = 10

_VERIFY_INTERVAL: Final = 100e-6
"""Seconds between two verified writes while no other process appends."""

_SHARED_FOR: Final = 1.0
"""Seconds for which every write is verified after another process appended."""

_PATIENCE: Final = 0.05
"""Seconds to wait for the reader of a full pipe; only once until it reads again."""


class OpenFile:
    """An open file, closed when the last thread that writes to it drops its reference.

    Threads write without waiting for each other: their shared state is either set once, or an
    estimate that each check corrects.
    """

    __slots__ = (
        *("_second", "_shared_until", "_verified", "check_at", "descriptor", "identity", "size"),
        *("limit", "opened_at", "recorded", "untouched", "verify_at"),
        *("is_patient", "is_regular", "is_torn"),
    )
    recorded: set[str] | None
    """Ids of the event-type records in it; None until they are read."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        status = os.fstat(descriptor)
        self.identity = (status.st_dev, status.st_ino)
        self.is_regular = stat.S_ISREG(status.st_mode)
        self.is_patient = True
        self.is_torn = False
        self.size = status.st_size
        # The best estimate of when its first event was written.
        self.opened_at = status.st_mtime if status.st_size else time.time()
        self.recorded = None
        self._verified = self.size
        self._second = -1
        self._shared_until = 0.0
        self.verify_at = 0.0 if self.is_regular else inf
        self.allow(0, maxsize, CHECK_INTERVAL)

    def __del__(self) -> None:
        # At interpreter exit our functions may be gone; the interpreter closes the file itself.
        try:
            self.close()
        except (AttributeError, TypeError):
            return

    def close(self) -> None:
        """Close the file, even if other threads still refer to it."""
        if self._is_ours(self.descriptor):
            if self.verify_at < inf:
                self.verify(0, 0.0)
            os.close(self.descriptor)
        if self._is_ours(self._second):
            os.close(self._second)
        self.forget()

    def forget(self) -> None:
        """Discard a descriptor that other code closed: its number may belong to another file now.

        Programs that daemonise close all descriptors.
        """
        self.descriptor = self._second = -1

    def allow(self, size: int, room: int, seconds: float) -> None:
        """Allow `size` bytes now, and `room` more without a check for `seconds` seconds."""
        self.size += size
        self.untouched = self.size
        self.limit = self.size + room
        self.check_at = monotonic() + seconds

    def verify(self, size: int, now: float) -> None:
        """Check that the last write began on a new line, and repair the file if not.

        A process that is killed while it writes leaves a partial line, which the next append
        continues.

        Args:
            size: the number of bytes just written.
            now: the monotonic time.
        """
        try:
            end = os.lseek(self.descriptor, 0, os.SEEK_CUR)
            if end > self.size:  # another process appends to it too
                self._shared_until = now + _SHARED_FOR
                self.size = end
                self._part_lines(end, end - size)
            self._verified = end
        except OSError:  # then readers have to separate the lines
            pass
        self.verify_at = 0.0 if now < self._shared_until else now + _VERIFY_INTERVAL

    def _part_lines(self, end: int, begin: int | None = None) -> None:
        if not self._is_ours(self._second):
            self._second = open_high(f"/proc/self/fd/{self.descriptor}", os.O_RDWR | os.O_CLOEXEC)
        part_lines(self._second, self._verified, end, begin)

    def is_at(self, path: Path) -> bool:
        """Return whether both a path and the descriptor refer to this file."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return False
        if not self._is_ours(self.descriptor):
            self.forget()
        if self.descriptor < 0 or (status.st_dev, status.st_ino) != self.identity:
            return False
        self.size = status.st_size
        if status.st_size > self._verified and self.verify_at < inf:
            with suppress(OSError):
                self._part_lines(status.st_size)
                if os.pread(self._second, 1, status.st_size - 1) != b"\n":
                    self.size -= 1  # so that the next write is verified
                    self.verify_at = 0.0
            self._verified = status.st_size
        return True

    def write_soon(self, lines: bytearray) -> int:
        """Write as much as a pipe accepts; return the number of bytes.

        Raises:
            OSError: the pipe has no reader.
        """
        written, until = 0, monotonic() + (_PATIENCE if self.is_patient else 0.0)
        while True:
            with suppress(BlockingIOError):
                if self.is_torn:  # end the partial line
                    os.write(self.descriptor, b"\n")
                    self.is_torn = False
                written += os.write(self.descriptor, lines[written:])
            self.is_patient = written == len(lines)
            if self.is_patient or monotonic() >= until:
                return written
            time.sleep(0.001)

    def is_removed(self) -> bool:
        """Return whether the file has no name any more."""
        with suppress(OSError):
            return os.fstat(self.descriptor).st_nlink == 0
        return False

    def _is_ours(self, descriptor: int) -> bool:
        with suppress(OSError):
            status = os.fstat(descriptor)
            return (status.st_dev, status.st_ino) == self.identity
        return False


class _NotOpen(OpenFile):
    """A placeholder until a file is opened; it has no room."""

    __slots__ = ()

    def __init__(self) -> None:
        self.descriptor = -1
        self.identity = (0, 0)
        self.is_regular = self.is_patient = self.is_torn = False
        self.size = 0
        self.recorded = None
        self._second = self.limit = self.untouched = -1
        self.check_at = self.opened_at = 0.0


NOT_OPEN: Final = _NotOpen()


def open_file(path: Path, mode: int) -> OpenFile:
    """Open a file for appending; create it and its directories if they are missing.

    The file has a shared lock as long as it is open, so that no process compresses it.

    Args:
        path: the file.
        mode: the permissions of a new file, less the process's umask.

    Raises:
        OSError: it cannot be opened.
    """
    for _ in range(_ATTEMPTS):
        file = OpenFile(_descriptor(path, mode))
        # In this order: a process that compresses a file renames it before it locks it.
        if _is_locked(file) and file.is_at(path):
            end_last_line(path, file.descriptor)
            return file
    raise OSError(errno.EAGAIN, "the file is renamed again and again")


def _descriptor(path: Path, mode: int) -> int:
    # Opening or writing to a pipe without a reader, or to a terminal, must not block.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY
    try:
        return open_high(path, flags, mode)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open_high(path, flags, mode)


def _is_locked(file: OpenFile) -> bool:
    """Lock a file; return False if another process has locked it to compress it."""
    try:
        lock(file.descriptor, shared=True)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: nothing can be compressed there
        return True
    return True
