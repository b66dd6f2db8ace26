"""Append whole lines to the file, even if another program renames, removes or fills it."""

from __future__ import annotations

import errno
import logging
import os
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final
from weakref import WeakSet

from eventtracking_core import EventType, RetryableError
from eventtracking_core.diagnostics import report
from eventtracking_core.files.descriptors import descriptor_of
from eventtracking_core.lifecycle.forks import on_fork
from eventtracking_file._event_types import write_missing
from eventtracking_file._openfile import CHECK_INTERVAL, NOT_OPEN, OpenFile, open_file
from eventtracking_file._rotation import Rotation
from eventtracking_file._tidying import Tidying
from eventtracking_file._unfinished import blank

__all__ = ["Appender"]


class Appender:
    """Writes lines to the current file; any number of threads may do so at once.

    Args:
        path: the file.
        rotation: decides when to begin another file.
        tidying: compresses and removes rotated files.
        mode: the permissions of new files.
        fsync: wait for the disk after each write.
    """

    def __init__(
        self, path: Path, rotation: Rotation, tidying: Tidying, *, mode: int, fsync: bool
    ) -> None:
        self._path = path
        self._rotation = rotation
        self._tidying = tidying
        self._mode = mode
        self._fsync = fsync
        # Shared by all threads, and by signal handlers: assigning an attribute is atomic.
        self._file: OpenFile = NOT_OPEN
        self._event_types: dict[str, EventType] = {}
        _appenders.add(self)

    def append(self, lines: bytearray) -> None:
        """Write lines; after a failure, the buffer holds the lines that are not in the file.

        Raises:
            RetryableError: the file cannot be opened or written, or its disk is full.
        """
        for again in (True, False):  # the second attempt opens the file again
            size = len(lines)
            file = self._file
            # Concurrent threads may lose an addition; the next check corrects it.
            new_size = file.size = file.size + size
            now = monotonic()
            if new_size > file.limit or now >= file.check_at:
                file = self._checked(file, size)
            try:
                if file.is_regular:
                    written = os.write(file.descriptor, lines)
                else:
                    written = file.write_soon(lines)
            except OSError as error:
                self._file = NOT_OPEN
                # Programs that daemonise close all descriptors.
                if error.errno != errno.EBADF or not again:
                    raise RetryableError(f"cannot write to the file: {error.strerror}") from error
                file.forget()
                continue
            if written == size:
                if now >= file.verify_at:
                    file.verify(size, now)
                if self._fsync and file.is_regular:
                    _sync(file.descriptor)
                return
            self._undo(file, lines, written)
        raise RetryableError("only part of the lines could be written to the file")

    def save(self, record: EventType) -> None:
        """Write an event-type record into this file, and into each one opened later.

        Raises:
            RetryableError: the file cannot be opened or written, or its disk is full.
        """
        self._event_types.setdefault(record.id, record)
        if record.id not in (self._file.recorded or ()):
            self._checked(self._file, 0)

    def close(self) -> None:
        """Close the file; the next line reopens it."""
        self._file = NOT_OPEN

    def _undo(self, file: OpenFile, lines: bytearray, written: int) -> None:
        """Remove written lines from the buffer, and the partial line after them from the file."""
        whole = lines.rfind(b"\n", 0, written) + 1
        unfinished = bytes(lines[whole:written])
        del lines[:whole]
        if not file.is_regular:
            file.is_torn = file.is_torn or bool(unfinished)
            return
        self._file = NOT_OPEN
        if unfinished:
            with suppress(OSError):  # otherwise the line is ended when the file is next opened
                blank(self._path, unfinished)

    def _checked(self, file: OpenFile, size: int) -> OpenFile:
        """Return the file to write `size` bytes to: the same file, or one opened now."""
        try:
            if not file.is_at(self._path):
                _report_removal(file, size)
                file = self._opened()
            due = file.is_regular and self._rotation.is_due(file, size)
            if due and self._rotation.rotate(file, self._tidying.request):
                file = self._opened()
            if write_missing(file, self._path, self._event_types.copy()) and (
                self._fsync and file.is_regular
            ):
                _sync(file.descriptor)
        except OSError as error:
            self._file = NOT_OPEN
            raise RetryableError(f"cannot open the file: {error.strerror}") from error
        self._rotation.allow(file, size)
        self._file = file
        return file

    def _forked(self) -> None:
        """Reset in a forked child, which shares no file or thread with its parent."""
        file, self._file = self._file, NOT_OPEN
        file.close()
        self._tidying.forked()

    def _opened(self) -> OpenFile:
        file = open_file(self._path, self._mode)
        if self._fsync:
            with descriptor_of(self._path.parent, os.O_RDONLY) as directory:
                os.fsync(directory)
        return file


_appenders: Final[WeakSet[Appender]] = WeakSet()


@on_fork
def _forget_files() -> None:
    for appender in list(_appenders):
        appender._forked()  # noqa: SLF001


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise RetryableError(f"cannot sync the file to disk: {error.strerror}") from error


def _report_removal(file: OpenFile, size: int) -> None:
    """Log an error if the file was removed after unchecked writes to it."""
    if file is not NOT_OPEN and file.size - size != file.untouched and file.is_removed():
        report(
            logging.ERROR,
            ("removed", file.identity),
            "another program removed the file; up to %s seconds of events are lost",
            CHECK_INTERVAL,
        )
