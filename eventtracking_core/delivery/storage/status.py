"""Report the contents of a spool's directory, without a lock or a change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from eventtracking_core.delivery.storage.files import open_regular
from eventtracking_core.delivery.storage.format import SUFFIX
from eventtracking_core.delivery.storage.reader import (
    SegmentReader,
    UnknownFormatError,
)
from eventtracking_core.diagnostics import describe
from eventtracking_core.files.locks import lock

__all__ = ["ProcessSpool", "SegmentStatus", "spool_status"]

_LOCK: Final = "lock"
_BATCH: Final = 1000
_BYTES: Final = 1 << 20


class SegmentStatus(NamedTuple):
    """One segment: its bytes, the events in it that are not acknowledged, the damaged bytes.

    One of a format that this version does not know has neither events nor damage. One that cannot
    be read has an `error`, and the events that were read before it.
    """

    path: Path
    size: int
    events: int
    damaged: int
    error: str | None = None


class ProcessSpool(NamedTuple):
    """The segments of one process, and whether it lives."""

    name: str
    is_alive: bool
    segments: list[SegmentStatus]

    @property
    def events(self) -> int:
        """How many events are not acknowledged."""
        return sum(segment.events for segment in self.segments)

    @property
    def size(self) -> int:
        """How many bytes the segments take."""
        return sum(segment.size for segment in self.segments)

    @property
    def damaged(self) -> int:
        """How many bytes are no sound record; what a living process is writing is not counted."""
        return sum(segment.damaged for segment in self.segments)


def spool_status(directory: Path) -> Iterator[ProcessSpool]:
    """Yield what each process has in a spool, reading every record."""
    for path in sorted(directory.glob(f"*/{_LOCK}")):
        alive = _is_locked(path)
        segments = [_segment(path, alive=alive) for path in sorted(path.parent.glob(f"*{SUFFIX}"))]
        yield ProcessSpool(path.parent.name, alive, [segment for segment in segments if segment])


def _segment(path: Path, *, alive: bool) -> SegmentStatus | None:
    size = events = damaged = 0
    try:
        size = path.lstat().st_size
        with closing(SegmentReader(path)) as reader:
            while True:
                batch = reader.read(_BATCH, _BYTES, complete=not alive)
                events += len(batch.records)
                damaged += sum(damage.size for damage in batch.damaged)
                if not batch.records:
                    return SegmentStatus(path, reader.size(), events, damaged)
    except FileNotFoundError:  # acknowledged meanwhile
        return None
    except UnknownFormatError:
        return SegmentStatus(path, size, 0, 0)
    except OSError as error:
        return SegmentStatus(path, size, events, damaged, describe(error))


def _is_locked(path: Path) -> bool:
    try:
        descriptor = open_regular(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        lock(descriptor, shared=True)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
