"""High numbers for the descriptors of our files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

try:
    from fcntl import F_DUPFD_CLOEXEC, fcntl
    from resource import RLIMIT_NOFILE, getrlimit
except ImportError:  # Windows
    _CAN_RAISE = False
else:
    _CAN_RAISE = True

__all__ = ["descriptor_of", "dup_high", "high_number", "open_high"]

HIGHEST: Final = 4096


@contextmanager
def descriptor_of(path: str | os.PathLike[str], flags: int, mode: int = 0o600) -> Iterator[int]:
    """Open a file, as `os.open` does, and close it in the end, whatever interrupts that.

    Raises:
        OSError: it cannot be opened.
    """
    descriptors: list[int] = []
    try:
        # One step of C: an interrupt comes before it, or finds the descriptor in the list.
        descriptors.extend(map(os.open, [path], [flags], [mode]))
        yield descriptors[0]
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def open_high(path: str | os.PathLike[str], flags: int, mode: int = 0o600) -> int:
    """Open a file, as `os.open` does, and return a descriptor with a high number.

    Programs that turn into daemons close all descriptors. The system hands out the lowest number
    that is free, so a high one is not soon that of a file of the application.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, flags, mode)
    try:
        high = dup_high(descriptor)
    except OSError:  # there are as many as there may be
        return descriptor
    os.close(descriptor)
    return high


def dup_high(descriptor: int) -> int:
    """Return a second descriptor of a file, with a high number.

    Raises:
        OSError: it is not open, or there are as many as there may be.
    """
    if not _CAN_RAISE:
        return os.dup(descriptor)
    return fcntl(descriptor, F_DUPFD_CLOEXEC, high_number())


def high_number() -> int:
    """Return the lowest number that counts as high; 0 where a program cannot choose numbers."""
    if not _CAN_RAISE:
        return 0
    limit = getrlimit(RLIMIT_NOFILE)[0]
    return (HIGHEST if limit < 0 else min(limit, HIGHEST)) * 3 // 4
