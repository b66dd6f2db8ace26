"""The file that lines are appended to, as one process has it open."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from fcntl import LOCK_NB, LOCK_SH, flock
from pathlib import Path
from sys import maxsize
from time import monotonic, time
from typing import Final

from eventtracking_file._unfinished import end_last_line

__all__ = ["CHECK_INTERVAL", "NOT_OPEN", "OpenFile", "open_file"]

CHECK_INTERVAL: Final = 0.1
"""Seconds after which the file is looked at again: is it still there, and is its time over?"""

_ATTEMPTS: Final = 10


class OpenFile:
    """An open file, closed when the last thread that writes to it lets go of it.

    Any thread may write at any moment, and none waits for another: what they share is either set
    once, or an estimate that is exact again after each check.
    """

    __slots__ = (
        *("check_at", "descriptor", "held", "identity", "opened_at"),
        *("recorded", "room", "untouched"),
    )
    recorded: set[str] | None
    """Ids of the records of event types that are in it; None where nobody has looked."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        status = os.fstat(descriptor)
        self.identity = (status.st_dev, status.st_ino)
        self.held = status.st_size
        # When its first event came, as far as can be told.
        self.opened_at = status.st_mtime if status.st_size else time()
        self.recorded = None
        self.allow(maxsize, CHECK_INTERVAL)

    def __del__(self) -> None:
        # An interpreter that ends takes our functions away first, and closes the file itself.
        try:
            self.close()
        except (AttributeError, TypeError):
            return

    def close(self) -> None:
        """Let go of the file, whoever has it in his hands."""
        if self._is_ours():
            os.close(self.descriptor)
        self.forget()

    def forget(self) -> None:
        """Give up the descriptor: somebody closed it, and its number may be that of another file.

        Programs that turn into daemons close all descriptors.
        """
        self.descriptor = -1

    def allow(self, room: int, seconds: float) -> None:
        """Let `room` bytes be written without a check, for so many seconds."""
        self.room = self.untouched = room
        self.check_at = monotonic() + seconds

    def is_at(self, path: Path) -> bool:
        """Tell whether a path leads to this file, and so does the descriptor."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return False
        self.held = status.st_size
        if not self._is_ours():
            self.forget()
        return self.descriptor >= 0 and (status.st_dev, status.st_ino) == self.identity

    def is_removed(self) -> bool:
        """Tell whether no path leads to this file any more."""
        with suppress(OSError):
            return os.fstat(self.descriptor).st_nlink == 0
        return False

    def _is_ours(self) -> bool:
        with suppress(OSError):
            status = os.fstat(self.descriptor)
            return (status.st_dev, status.st_ino) == self.identity
        return False


class _NotOpen(OpenFile):
    """Stands for a file until one is opened: there is no room in it."""

    __slots__ = ()

    def __init__(self) -> None:
        self.descriptor = -1
        self.identity = (0, 0)
        self.held = 0
        self.recorded = None
        self.room = self.untouched = -1
        self.check_at = self.opened_at = 0.0


NOT_OPEN: Final = _NotOpen()


def open_file(path: Path, mode: int) -> OpenFile:
    """Open a file to append to; it is made where it is missing, and so are the directories.

    The file is locked in shared mode as long as it is open, so that nobody compresses it.

    Args:
        path: the file.
        mode: the permissions of a new file, less the process's umask.

    Raises:
        OSError: it cannot be opened.
    """
    for _ in range(_ATTEMPTS):
        file = OpenFile(_descriptor(path, mode))
        # In this order: whoever compresses a file has renamed it before he locks it.
        if _is_locked(file) and file.is_at(path):
            end_last_line(path, file.descriptor)
            return file
    raise OSError(errno.EAGAIN, "it is renamed again and again")


def _descriptor(path: Path, mode: int) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    try:
        return os.open(path, flags, mode)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, mode)


def _is_locked(file: OpenFile) -> bool:
    """Lock a file; tell whether nobody has locked it to compress it."""
    try:
        flock(file.descriptor, LOCK_SH | LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: nothing can be compressed there
        return True
    return True
