"""A segment of a spool: written by whoever appends, read by the one thread that delivers."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

from eventtracking_core.delivery.storage.directory import ProcessDirectory
from eventtracking_core.delivery.storage.format import HEADER_SIZE, SegmentReader, create
from eventtracking_core.diagnostics import describe, report

__all__ = ["Segment", "SpooledEvent", "adopted", "begun"]


class Segment:
    """A file of the spool, and how far it is written, read and settled.

    Appending threads change `size`, then `appended`, under their lock, so that the reader, who
    takes none, finds whole records up to `size` and at least `appended` of them.
    """

    __slots__ = (
        "_reader", "appended", "descriptor", "is_adopted", "is_complete", "is_failing",
        "outstanding", "owner", "path", "position", "size", "taken",
    )  # fmt: skip

    def __init__(
        self, path: Path, owner: ProcessDirectory, *, size: int, descriptor: int = -1
    ) -> None:
        self.path = path
        self.owner = owner
        self.size = size
        self.position = 0
        self.descriptor = descriptor
        self.is_adopted = self.is_complete = descriptor < 0
        self.is_failing = False
        self.appended = 0
        self.taken = 0
        self.outstanding = 0
        self._reader: SegmentReader | None = None

    @property
    def is_read(self) -> bool:
        """Whether there is nothing more to read in it, for now."""
        return self.position >= self.size

    @property
    def is_done(self) -> bool:
        """Whether nothing in it needs anybody any more."""
        return self.is_complete and not self.outstanding and self.is_read

    def read(self, max_records: int, max_bytes: int) -> tuple[list[bytes], list[bytes], int]:
        """Return the next payloads, damaged bytes, and how many records cannot be read again."""
        appended, size = self.appended, self.size
        if self.position >= size:
            return [], [], 0
        wires, damaged = self._read(max_records, max_bytes, size)
        if not wires and not damaged:
            self.position = size  # it was cut, or cannot be read
        self.taken += len(wires)
        self.outstanding += len(wires)
        lost = max(0, appended - self.taken) if self.position >= size else 0
        self.taken += lost
        return wires, damaged, lost

    def _read(self, max_records: int, max_bytes: int, size: int) -> tuple[list[bytes], list[bytes]]:
        try:
            if self._reader is None:
                self._reader = SegmentReader(self.path)
            found = self._reader.read(max_records, max_bytes, complete=True, end=size)
        except OSError as error:
            report(logging.ERROR, ("read", type(error)), "spool: %s", describe(error))
            self.is_failing = True
            return [], []
        self.position = self._reader.position
        return [wire for wire, _ in found.records], found.damaged

    def acknowledge(self) -> None:
        """Note in the file that what was read is settled."""
        if self._reader is not None:
            with suppress(OSError):  # then it is delivered again, and recognised by its ids
                self._reader.acknowledge(self.position)

    def close(self) -> None:
        """Read no more."""
        if self._reader is not None:
            self._reader.close()

    def remove(self) -> None:
        """Close it, and remove its file, unless there may be something to rescue from it."""
        self.close()
        if not self.is_failing:
            with suppress(OSError):  # then it is delivered again, and recognised by its ids
                self.path.unlink(missing_ok=True)

    def forked(self) -> None:
        """Close, in a forked child, what is the parent's."""
        with suppress(OSError):
            self.close()
        if not self.is_complete:
            with suppress(OSError):
                os.close(self.descriptor)


class SpooledEvent:
    """An event's bytes, and where they stand."""

    __slots__ = ("segment", "wire")

    def __init__(self, wire: bytes, segment: Segment) -> None:
        self.wire = wire
        self.segment = segment


def begun(path: Path, owner: ProcessDirectory) -> Segment:
    """Return a new segment, to append to.

    Raises:
        OSError: it cannot be created.
    """
    return Segment(path, owner, size=HEADER_SIZE, descriptor=create(path))


def adopted(owner: ProcessDirectory) -> list[Segment]:
    """Return the segments of a process that ended."""
    segments = []
    for path in owner.segments():
        with suppress(OSError):  # removed by hand
            segments.append(Segment(path, owner, size=path.lstat().st_size))
    return segments
