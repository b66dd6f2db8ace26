"""Dead letters: events that can never be delivered, with the reason, for operators to replay."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from eventtracking_core.delivery.storage.directory import make_private
from eventtracking_core.delivery.storage.disk import DISK, write_whole
from eventtracking_core.delivery.storage.files import lock_in_place, open_locked
from eventtracking_core.delivery.storage.format import (
    SUFFIX,
    create,
    frame,
    has_our_format,
)
from eventtracking_core.delivery.storage.reader import (
    SegmentReader,
    UnknownFormatError,
)
from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.encoding import decode_wire
from eventtracking_core.events import Event

__all__ = ["DeadLetter", "DeadLetters"]

SEGMENT_BYTES: Final = 4 * 1024 * 1024


class DeadLetter(msgspec.Struct, frozen=True):
    """An event that could not be delivered.

    Attributes:
        wire: the event, as it waited.
        backend: the path of its leaf in the tree.
        reason: `rejected`, `expired`, `error`, `invalid`, `worker_deaths` or, from a worker without
            the event's node, `mismatch`.
        error: the last error, without payload.
        attempts: how often it was tried.
        time: when it was dead-lettered.
    """

    wire: bytes
    backend: str
    reason: str
    error: str
    attempts: int
    time: datetime

    @property
    def event(self) -> Event:
        """The event.

        Raises:
            ValueError: its bytes are no event.
        """
        return decode_wire(self.wire)


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(DeadLetter).decode


class DeadLetters:
    """The dead letters of one leaf: a directory of segments, shared by processes.

    A segment is locked while it is appended to or replayed, and never removed by anybody else.

    Args:
        directory: where the segments are; made when there is a first letter.
        max_bytes: what they may take together.
        base: the directory that the operator configured; no link is followed below it.
    """

    def __init__(self, directory: Path, max_bytes: int, base: Path | None = None) -> None:
        self.directory = directory
        self._base = directory.parent if base is None else base
        self._max_bytes = max_bytes

    def add(self, letters: Iterable[DeadLetter]) -> int:
        """Keep letters, all on the disk at once; return how many of them there was room for.

        Raises:
            OSError: they cannot be written, and none is kept.
        """
        make_private(self.directory, self._base)
        paths = self.segments()
        room = self._max_bytes - sum(map(_size, paths))
        records = []
        for letter in letters:
            record = frame(_encode(letter))
            room -= len(record)
            if room < 0:
                break
            records.append(record)
        if records:
            self._write(b"".join(records), paths)
        return len(records)

    def _write(self, records: bytes, paths: list[Path]) -> None:
        for path in reversed(paths):
            if _size(path) < SEGMENT_BYTES and _appended(path, records):
                return
        while not self._written(records):  # a process that replays claimed the file at once
            pass

    def _written(self, records: bytes) -> bool:
        """Write a new segment; return False if it was removed before it could be locked."""
        path = self.directory / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{os.getpid()}{SUFFIX}"
        descriptor = create(path)
        try:
            lock_in_place(descriptor, path, wait=True)
        except FileNotFoundError:
            return False
        except OSError:
            path.unlink(missing_ok=True)
            raise
        try:
            _append(descriptor, records)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        return True

    def segments(self) -> list[Path]:
        """Return the files, oldest first."""
        return sorted(self.directory.glob(f"*{SUFFIX}"))

    def letters(self) -> Iterator[DeadLetter]:
        """Yield all letters that can be read, oldest first."""
        for path in self.segments():
            try:
                yield from self.read(path)
            except OSError as error:
                message = "dead letters: %s cannot be read: %s"
                report(ERROR, ("read", path), message, path, error)

    @staticmethod
    def read(path: Path) -> Iterator[DeadLetter]:
        """Yield the letters of one segment that can be read.

        Raises:
            OSError: the segment cannot be read.
        """
        try:
            reader = SegmentReader(path)
        except FileNotFoundError:  # replayed meanwhile
            return
        except UnknownFormatError:  # of a later version
            return
        try:
            while records := reader.read(64, SEGMENT_BYTES, complete=True).records:
                for payload, _ in records:
                    try:
                        yield _decode(payload)
                    except msgspec.DecodeError:
                        continue
        finally:
            reader.close()

    @staticmethod
    def replace(path: Path, letters: Iterable[DeadLetter]) -> None:
        """Leave only these letters in a segment that is claimed; remove it where there are none.

        Raises:
            OSError: it cannot be written; the segment is as it was.
        """
        records = [frame(_encode(letter)) for letter in letters]
        if not records:
            path.unlink()
            return
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        descriptor = create(part)
        try:
            _append(descriptor, b"".join(records))
        finally:
            os.close(descriptor)
        part.replace(path)

    @contextmanager
    def claimed(self, path: Path) -> Iterator[bool]:
        """Lock a segment against appending and replaying; return whether that worked."""
        with _locked(path) as descriptor:
            yield descriptor is not None


@contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    """Open a segment and lock it; None where another holds it, or it was removed meanwhile."""
    try:
        descriptor = open_locked(path)
    except OSError:
        yield None
        return
    try:
        yield descriptor if has_our_format(descriptor) else None
    finally:
        os.close(descriptor)


def _appended(path: Path, records: bytes) -> bool:
    with _locked(path) as descriptor:
        if descriptor is not None:
            _append(descriptor, records)
        return descriptor is not None


def _append(descriptor: int, records: bytes) -> None:
    size = os.fstat(descriptor).st_size
    write_whole(DISK.write, descriptor, records, size)
    try:
        DISK.sync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
