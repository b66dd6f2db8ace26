"""High numbers for the descriptors of our files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

try:
    from fcntl import F_DUPFD_CLOEXEC, fcntl
    from resource import RLIMIT_NOFILE, getrlimit
except ImportError:  # Windows
    _CAN_RAISE = False
else:
    _CAN_RAISE = True

__all__ = ["dup_at", "dup_high", "high_numbers", "open_high"]

HIGHEST: Final = 4096
SELECTABLE: Final = 960
"""A number that is high, and that `select` takes."""


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
    return fcntl(descriptor, F_DUPFD_CLOEXEC, _high())


def dup_at(descriptor: int, number: int) -> bool:
    """Make a number a second descriptor of a file, if it is free; return whether it is one now.

    Raises:
        OSError: the descriptor is not open, or there are as many as there may be.
    """
    if not _CAN_RAISE:
        return False
    second = fcntl(descriptor, F_DUPFD_CLOEXEC, number)
    if second != number:
        os.close(second)
    return second == number


@contextmanager
def high_numbers() -> Iterator[None]:
    """Let what a library opens here have descriptors with high numbers, if that can be done."""
    reserved: list[int] = []
    try:
        if _CAN_RAISE:
            with suppress(OSError):
                reserved.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
                while reserved[-1] < min(_high(), SELECTABLE):
                    reserved.append(os.dup(reserved[0]))
        yield
    finally:
        for descriptor in reserved:
            os.close(descriptor)


def _high() -> int:
    limit = getrlimit(RLIMIT_NOFILE)[0]
    return (HIGHEST if limit < 0 else min(limit, HIGHEST)) * 3 // 4
