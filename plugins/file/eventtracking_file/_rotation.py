"""Rename a full file, once, in the first of its writers that notices that rotation is due."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sys import maxsize
from time import gmtime, strftime, time
from typing import Final

from eventtracking_core.diagnostics import report
from eventtracking_core.files.descriptors import descriptor_of
from eventtracking_core.files.locks import lock, unlock
from eventtracking_file._compression import EXTENSIONS
from eventtracking_file._openfile import CHECK_INTERVAL, OpenFile

__all__ = ["Rotation"]

_STAMP: Final = "%Y%m%dT%H%M%SZ"
# The fraction of the remaining room that is written without a check: other processes write too.
_SHARE: Final = 8


class Rotation:
    """Decides when a file is rotated, and renames it.

    Args:
        path: the current file.
        max_size: its maximum size in bytes.
        period: seconds of UTC that one file covers.
    """

    def __init__(self, path: Path, max_size: int | None, period: float | None) -> None:
        self._path = path
        self._max_size = maxsize if max_size is None else max_size
        self._period = period

    def is_due(self, file: OpenFile, size: int) -> bool:
        """Return whether `size` more bytes belong in a new file."""
        full = file.size + size > self._max_size
        return file.size > 0 and (full or self._is_over(file.opened_at))

    def allow(self, file: OpenFile, size: int) -> None:
        """Allow `size` bytes to be written to a file, and more until its next check."""
        seconds = CHECK_INTERVAL
        if self._period is not None:
            seconds = min(seconds, self._period - time() % self._period)
        left = self._max_size - file.size - size
        file.allow(size, max(0, left // _SHARE), seconds)

    def rotate(self, file: OpenFile, then: Callable[[], None]) -> bool:
        """Rename the file, unless another process is rotating it or has rotated it. Never waits.

        Args:
            file: the file to rename, if it is still at its path.
            then: called after renaming, before other processes may rotate.

        Returns:
            Whether it was renamed.
        """
        try:
            current = self._path.resolve()
            with _locked(current.parent) as ours:
                if not ours or not file.is_at(current):
                    return False
                current.rename(_free_name(current))
                then()
        except FileNotFoundError:
            return False
        except OSError as error:
            report(logging.ERROR, ("rotate", self._path), "cannot rotate: %s", error)
            return False
        return True

    def rotated(self) -> list[list[Path]]:
        """Return the files of each rotation, compressed or not, oldest first."""
        return [paths for _, paths in sorted(_rotated(self._path.resolve()).items())]

    def _is_over(self, moment: float) -> bool:
        return self._period is not None and moment // self._period != time() // self._period


@contextmanager
def _locked(directory: Path) -> Iterator[bool]:
    """Lock a directory against other rotations; yield False if another process holds the lock."""
    with descriptor_of(directory, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
        try:
            lock(descriptor)
        except BlockingIOError:
            yield False
        else:
            try:
                yield True
            finally:
                unlock(descriptor)  # a forked child may hold a copy of the descriptor


def _rotated(current: Path) -> dict[tuple[str, int], list[Path]]:
    """Return the files of each rotation by its time and its number within that second."""
    pattern = re.compile(
        rf"{re.escape(current.stem)}-(\d{{8}}T\d{{6}}Z)(?:_(\d+))?{re.escape(current.suffix)}"
        rf"(?:{'|'.join(map(re.escape, EXTENSIONS))})?"
    )
    files: dict[tuple[str, int], list[Path]] = {}
    for path in current.parent.iterdir():
        match = pattern.fullmatch(path.name)
        if match:
            files.setdefault((match[1], int(match[2] or 1)), []).append(path)
    return files


def _free_name(current: Path) -> Path:
    """Return a name that sorts after earlier rotations, even if the clock was set back."""
    names = [(stamp, number + 1) for stamp, number in _rotated(current)]
    stamp, number = max([(strftime(_STAMP, gmtime()), 1), *names])
    counter = f"_{number:03}" if number > 1 else ""
    return current.with_name(f"{current.stem}-{stamp}{counter}{current.suffix}")
