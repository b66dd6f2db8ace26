"""Files of the spool: opened safely, locked while they are in place, closed only while ours."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from eventtracking_core.files.descriptors import open_high
from eventtracking_core.files.locks import lock

__all__ = [
    "Identity",
    "close_ours",
    "create_private",
    "identity",
    "is_at",
    "lock_in_place",
    "open_locked",
    "open_regular",
]

Identity = tuple[int, int]
"""A file's device and number."""

_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def create_private(path: Path) -> int:
    """Create a file for the owner alone, which must not be there yet, to write and to read.

    Raises:
        OSError: it cannot be created.
    """
    return open_high(path, _NEW, 0o600)


def open_regular(path: Path, flags: int = os.O_RDWR) -> int:
    """Open a regular file, never a link, a pipe or a device; never wait for a writer.

    Raises:
        OSError: it cannot be opened, or it is something else.
    """
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = open_high(path, flags)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "not a regular file")


def open_locked(path: Path, flags: int = os.O_RDWR) -> int:
    """Open a regular file and lock it, if it is in place still; return its descriptor.

    Raises:
        BlockingIOError: another process holds it.
        OSError: it cannot be opened or locked, or was removed meanwhile.
    """
    descriptor = open_regular(path, flags)
    lock_in_place(descriptor, path)
    return descriptor


def lock_in_place(descriptor: int, path: Path, *, wait: bool = False) -> None:
    """Lock a file that was just opened, if it is in place still; else close it.

    Args:
        descriptor: the file's.
        path: where it is.
        wait: wait for another holder.

    Raises:
        BlockingIOError: another process holds it.
        FileNotFoundError: another process locked it first, and removed it.
        OSError: it cannot be locked.
    """
    try:
        lock(descriptor, wait=wait)
        is_in_place = is_at(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    if not is_in_place:
        os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def is_at(path: Path, descriptor: int) -> bool:
    """Return whether a path leads to an open file.

    Raises:
        OSError: that cannot be seen.
    """
    with suppress(FileNotFoundError):
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    return False


def identity(descriptor: int) -> Identity | None:
    """Return which file a descriptor leads to; None if it is closed."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def close_ours(descriptor: int, file: Identity | None) -> None:
    """Close a file, unless a program closed what is not its own: the number may be another's."""
    if descriptor >= 0 and identity(descriptor) == file:
        os.close(descriptor)
