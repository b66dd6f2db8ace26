"""The descriptors by which SQLite has a database open, and whether they are still its own.

Programs that turn into daemons close all descriptors, and their numbers become those of other
files. SQLite does not notice: it would write into those files, and lock them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from weakref import WeakSet

from eventtracking_core.files.descriptors import high_number
from eventtracking_core.lifecycle.claims import call_into
from eventtracking_core.lifecycle.forks import on_fork

__all__ = ["Descriptors", "high_numbers", "lock_inherited", "numbers"]

SELECTABLE: Final = 960
"""A number that is high, and that `select` takes."""

Identity = tuple[int, int]

_OPEN: Final = Path("/dev/fd")
_SUFFIXES: Final = ("", "-wal", "-shm")
_SHARED: Final = {"": (0x40000002, 510), "-shm": (128, 1)}
"""By a file's suffix, the first byte and the number of those that each open connection locks.

Source: https://www.sqlite.org/src/file/src/os_unix.c, `SHARED_FIRST` and `UNIX_SHM_DMS`.
"""


class Descriptors:
    """The descriptors of a connection that was just made.

    All connections of a process to a database share the one of its index, the file `-shm`.

    Args:
        path: the database.
        before: the numbers that were in use before.
    """

    def __init__(self, path: Path, before: frozenset[int]) -> None:
        names = [path.with_name(f"{path.name}{suffix}") for suffix in _SUFFIXES]
        self._name = path.name
        self._paths = {identity: name for name in names if (identity := _at(name)) is not None}
        self._database, self._index = _at(path), _at(names[-1])
        all_files = {
            number: identity
            for number in numbers()
            if (identity := _identity(number)) in self._paths
        }
        new = {file for number, file in all_files.items() if number not in before}
        self._files = {
            number: file
            for number, file in all_files.items()
            if number not in before or file not in new
        }
        _living.add(self)

    def are_open(self) -> bool:
        """Return whether all of them still lead where they did."""
        return all(_identity(number) == file for number, file in self._files.items())

    def restore(self) -> bool:
        """Open again what was closed, under the same numbers; return whether all is as it was.

        That cannot be done for a file that is not in its place, or a number that is in use.
        """
        for number, file in self._files.items():
            if _identity(number) is None:
                with suppress(OSError):
                    self._restore(number, file)
        return self.are_open()

    def lock(self) -> bool:
        """Take the locks of an open connection; return whether its files are in their places."""
        from fcntl import LOCK_NB, LOCK_SH, lockf  # noqa: PLC0415  there are no forks without it

        try:
            for number, file in self._files.items():
                locked = _SHARED.get(self._paths[file].name.removeprefix(self._name))
                if locked is not None and _identity(number) == file:
                    start, size = locked
                    lockf(number, LOCK_SH | LOCK_NB, size, start)
        except OSError:
            return False
        return all(_at(path) == file for file, path in self._paths.items())

    def is_of(self, path: Path) -> bool:
        """Return whether they lead to the database of a path."""
        return self._database is not None and self._database == _at(path)

    def has_index(self) -> bool:
        """Return whether another connection of this process would find the index."""
        return all(
            _identity(number) == file for number, file in self._files.items() if file == self._index
        )

    def _restore(self, number: int, file: Identity) -> None:
        descriptor = os.open(self._paths[file], os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        is_same = _identity(descriptor) == file
        if is_same and descriptor == number:
            return
        try:
            if is_same:
                _dup_at(descriptor, number)
        finally:
            os.close(descriptor)


_living: Final[WeakSet[Descriptors]] = WeakSet()
_inherited: Final[list[Descriptors]] = []
"""Those of the parent's connections, in a forked child, which never closes them."""


@on_fork
def _forked() -> None:
    _inherited[:] = _living


def lock_inherited(path: Path) -> bool:
    """Take the locks of a database that this process, a child, did not inherit.

    SQLite's count of them in memory is inherited, from all of the parent's connections: so it takes
    none. A process that closes the database would not see it, and remove the log that it writes to.

    Returns:
        Whether it may write.
    """
    return all(each.lock() for each in _inherited if each.is_of(path))


def numbers() -> frozenset[int]:
    """Return the numbers of the descriptors that are open."""
    with suppress(OSError):
        return frozenset(int(path.name) for path in _OPEN.iterdir())
    return frozenset()


@contextmanager
def high_numbers() -> Iterator[None]:
    """Let what SQLite opens here have descriptors with high numbers, if that can be done."""
    reserved: list[int] = []
    highest = min(high_number(), SELECTABLE)
    try:
        if highest > 0:
            with suppress(OSError):
                call_into(reserved, os.open, os.devnull, os.O_RDONLY | os.O_CLOEXEC)
                while reserved[-1] < highest:
                    call_into(reserved, os.dup, reserved[0])
        yield
    finally:
        for descriptor in reserved:
            os.close(descriptor)


def _dup_at(descriptor: int, number: int) -> None:
    """Make a number a second descriptor of a file, if it is free."""
    from fcntl import F_DUPFD_CLOEXEC, fcntl  # noqa: PLC0415  not on Windows, which has no /dev/fd

    second = fcntl(descriptor, F_DUPFD_CLOEXEC, number)
    if second != number:
        os.close(second)


def _at(path: Path) -> Identity | None:
    with suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None


def _identity(descriptor: int) -> Identity | None:
    with suppress(OSError):
        status = os.fstat(descriptor)
        return status.st_dev, status.st_ino
    return None
