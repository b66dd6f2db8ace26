"""The calls by which a spool reaches its disk, where a full or failing one shows."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

__all__ = ["DISK", "Disk", "roll_back", "write_whole"]


Write = Callable[[int, bytes, int], int]
"""Writes into a file at a position; returns how much was written."""


class Disk:
    """Asks the operating system. A test has one of its own, which records or refuses."""

    write = staticmethod(os.pwrite)
    sync = staticmethod(getattr(os, "fdatasync", os.fsync))  # macOS has the latter alone
    sync_directory = staticmethod(os.fsync)


DISK: Final = Disk()


def roll_back(descriptor: int, size: int) -> NoReturn:
    """Undo what was written in part.

    Args:
        descriptor: the file's.
        size: what it had before.

    Raises:
        OSError: always; the disk is full.
    """
    with suppress(OSError):  # the next record is written over it
        os.ftruncate(descriptor, size)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def write_whole(write: Write, descriptor: int, content: bytes, size: int) -> None:
    """Write at the end of a file; leave nothing of it there if it does not fit.

    Args:
        write: a disk's.
        descriptor: the file's.
        content: is written.
        size: what the file has.

    Raises:
        OSError: it was not written.
    """
    if write(descriptor, content, size) != len(content):
        roll_back(descriptor, size)
