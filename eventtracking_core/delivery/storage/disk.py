"""The calls by which a spool reaches its disk, where a full or failing one shows."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import Final, NoReturn

__all__ = ["DISK", "Disk", "Identity", "identity", "roll_back"]

Identity = tuple[int, int]
"""A file's device and number."""


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


def identity(descriptor: int) -> Identity | None:
    """Return which file a descriptor leads to; None if it is closed."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino
