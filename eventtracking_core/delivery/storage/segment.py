"""A segment of a spool: written by the threads that append, read by the one that delivers."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from eventtracking_core.delivery.storage.directory import ProcessDirectory
from eventtracking_core.delivery.storage.files import Identity, close_ours, identity
from eventtracking_core.delivery.storage.format import HEADER_SIZE, create
from eventtracking_core.delivery.storage.reader import Damage, SegmentReader
from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.files.descriptors import dup_high

__all__ = ["Segment", "adopted", "begun"]

_REMOVED: Final = (FileNotFoundError, NotADirectoryError)


class Segment:
    """A file of the spool, and how far it is written, read and acknowledged.

    Appending threads change `size`, then `appended`, under their lock, so that the reader, who
    takes none, finds whole records up to `size` and at least `appended` of them.

    Args:
        path: where it is.
        owner: the directory it is in.
        file: which file that is, whatever comes to be at the path.
        size: bytes that are written.
        descriptor: to append to; none for a segment that was adopted.
    """

    __slots__ = (
        "_reader", "_reads", "appended", "descriptor", "file", "is_adopted", "is_complete",
        "is_failing", "outstanding", "owner", "path", "position", "records", "size", "taken",
    )  # fmt: skip

    def __init__(
        self,
        path: Path,
        owner: ProcessDirectory,
        file: Identity,
        *,
        size: int,
        descriptor: int = -1,
    ) -> None:
        self.path = path
        self.owner = owner
        self.file = file
        self.size = size
        self.position = 0
        self.descriptor = descriptor
        self.is_adopted = self.is_complete = descriptor < 0
        self.is_failing = False
        self.appended = 0
        self.records = 0
        self.taken = 0
        self.outstanding = 0
        self._reader: SegmentReader | None = None
        self._reads: Identity | None = None

    @property
    def is_read(self) -> bool:
        """Whether there is nothing more to read in it, for now."""
        return self.position >= self.size

    @property
    def is_done(self) -> bool:
        """Whether nothing in it needs anybody any more."""
        return self.is_complete and not self.outstanding and self.is_read

    @property
    def backlog(self) -> int:
        """How many events of another process wait in it."""
        return 0 if self.is_read else max(0, self.records - self.taken)

    def is_in_place(self) -> bool:
        """Return whether its path leads to it, as far as can be seen."""
        try:
            status = self.path.lstat()
        except _REMOVED:
            return False
        except OSError:  # that may pass, and then it is there
            return True
        return (status.st_dev, status.st_ino) == self.file

    def read(self, max_records: int, max_bytes: int) -> tuple[list[bytes], list[Damage], int]:
        """Return the next payloads, the damage, and how many records cannot be read again."""
        appended, size = self.appended, self.size
        if self.position >= size:
            return [], [], 0
        try:
            reader = self._current_reader()
            batch = reader.read(max_records, max_bytes, complete=True, end=size)
            self.position = reader.position if batch.records or batch.damaged else size  # was cut
        except _REMOVED:
            batch, self.position = None, size
        except OSError as error:
            report(ERROR, ("read", type(error)), "spool: %s", error)
            if self.is_adopted:  # its directory is tried again after a while
                self.is_failing, self.position = True, size
            return [], [], 0
        wires = [wire for wire, _ in batch.records] if batch else []
        self.taken += len(wires)
        self.outstanding += len(wires)
        lost = max(0, appended - self.taken) if self.position >= size else 0
        self.taken += lost
        return wires, batch.damaged if batch else [], lost

    def _current_reader(self) -> SegmentReader:
        """Return a reader of the file that is appended to."""
        is_open = self._reader is not None and self._reader.is_open
        if self._reader is None or not is_open or self._reads != self.file:
            position = self.position
            self.close()
            self._reader, self._reads = self._opened(), self.file
            if position:
                self._reader.seek(position)
        return self._reader

    def _opened(self) -> SegmentReader:
        if not self.is_complete:  # its name may have been removed
            descriptor = dup_high(self.descriptor)
            if identity(descriptor) == self.file:
                return SegmentReader(descriptor)
            os.close(descriptor)
        reader = SegmentReader(self.path)
        if reader.identity == self.file:
            return reader
        reader.close()
        raise FileNotFoundError

    def acknowledge(self) -> None:
        """Note in the file that everything read so far is done."""
        if self._reader is not None:
            with suppress(OSError):  # then it is delivered again, and recognised by its ids
                self._reader.acknowledge(self.position)

    def move(self, to: Segment) -> None:
        """Go on in another file, which has the same content."""
        self.path, self.owner = to.path, to.owner
        self.descriptor = to.descriptor
        self.file = to.file

    def close(self) -> None:
        """Read no more."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def remove(self) -> None:
        """Close it, and remove its file, unless there may be something to rescue from it."""
        if not self.is_failing:
            try:
                if self.is_in_place():
                    self.path.unlink(missing_ok=True)
            except OSError:
                self.acknowledge()
        self.close()

    def forked(self) -> None:
        """Close, in a forked child, what is the parent's."""
        with suppress(OSError):
            self.close()
        if not self.is_complete:
            close_ours(self.descriptor, self.file)


def begun(path: Path, owner: ProcessDirectory) -> Segment:
    """Return a new segment, to append to.

    Raises:
        OSError: it cannot be created.
    """
    descriptor = create(path)
    file = identity(descriptor) or (0, 0)
    return Segment(path, owner, file, size=HEADER_SIZE, descriptor=descriptor)


def adopted(path: Path, owner: ProcessDirectory) -> Segment:
    """Return a segment of a process that ended.

    Raises:
        OSError: it cannot be read.
        UnknownFormatError: it is of another format.
    """
    reader = SegmentReader(path)
    try:
        segment = Segment(path, owner, reader.identity, size=reader.size())
        segment.records = reader.count()
    finally:
        reader.close()
    return segment
