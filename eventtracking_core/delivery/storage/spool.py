"""Events in files: what was accepted survives the process.

A spool is a directory; each process has a directory of its own in it, locked while it lives, with
numbered segments. Other processes adopt the directories of the dead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from eventtracking_core.delivery.storage.adoption import Orphans
from eventtracking_core.delivery.storage.appending import Appender
from eventtracking_core.delivery.storage.directory import ProcessDirectory
from eventtracking_core.delivery.storage.disk import DISK, Disk
from eventtracking_core.delivery.storage.quarantine import Quarantine
from eventtracking_core.delivery.storage.segment import Segment

__all__ = ["Spool"]

DAMAGED: Final = "damaged"
"""The directory beside the spool for quarantined bytes: those that are not a valid record."""


class Spool:
    """The spooled events of one leaf.

    `append` and `seek_orphans` are for any thread. Everything else is for the one thread that
    delivers.

    Args:
        directory: the leaf's; made when it is first needed, for the owner alone.
        max_bytes: what the segments may take together.
        fsync_interval: seconds between two syncs; 0 syncs each event before `append` returns.
        lost: called with the number of events appended here that cannot be read again.
        base: the directory that the operator configured; no link is followed below it.
        disk: what is written and synced through.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int,
        fsync_interval: float,
        lost: Callable[[int], None],
        base: Path | None = None,
        disk: Disk = DISK,
    ) -> None:
        self.directory = directory
        self._base = directory.parent if base is None else base
        self._max_bytes = max_bytes
        self._interval = fsync_interval
        self._lost = lost
        self._disk = disk
        self._reset()

    def _reset(self) -> None:
        self._segments: deque[Segment] = deque()
        self._orphans = Orphans(self.directory, self._base)
        self._quarantine = Quarantine(self.directory.parent / DAMAGED, self._base)
        self._adopted_first = False
        self.appender = Appender(
            self.directory,
            self._base,
            self._segments,
            self._orphans,
            max_bytes=self._max_bytes,
            fsync_interval=self._interval,
            disk=self._disk,
        )
        self.append = self.appender.append
        self.taken = 0
        self.damaged = 0

    def forked(self) -> None:
        """Reset in a forked child; what is the parent's stays locked and whole."""
        for owner in self._owners():
            with suppress(OSError):
                owner.close()
        for segment in self._segments:
            segment.forked()
        self.appender.forked()
        self._reset()

    # ── adopting ──

    def seek_orphans(self) -> bool:
        """Lock what dead processes left, for the next `take`; return whether there is anything."""
        return self._orphans.seek(self._owners())

    def _adopt(self) -> None:
        if self._orphans.is_due:
            self.seek_orphans()
        segments = self._orphans.adopt()
        self._segments.extend(segments)
        self.appender.bytes_freed -= sum(segment.size for segment in segments)

    @property
    def backlog(self) -> int:
        """How many events of other processes were adopted and wait to be taken."""
        return sum(segment.backlog for segment in list(self._segments) if segment.is_adopted)

    # ── reading ──

    @property
    def appended(self) -> int:
        """How many events were appended here."""
        return self.appender.appended

    @property
    def unread(self) -> int:
        """How many of them wait to be taken."""
        return self.appender.appended - self.taken

    @property
    def has_more(self) -> bool:
        """Whether there may be anything to take: events, or what the dead left."""
        return (
            self.unread != 0
            or self._orphans.is_wanted
            or len(self._orphans.claimed) > 0
            or any(segment.is_complete for segment in list(self._segments))
        )

    def take(self, max_records: int, max_bytes: int) -> tuple[list[tuple[bytes, Segment]], int]:
        """Return the next events with their segments, oldest first, and how many were adopted."""
        self._adopt()
        self._quarantine.store()
        taken: list[tuple[bytes, Segment]] = []
        recovered = 0
        segments = list(self._segments)
        # Every second batch, so that neither waits behind the other for ever.
        self._adopted_first = not self._adopted_first
        if self._adopted_first:
            segments.sort(key=lambda segment: not segment.is_adopted)
        for segment in segments:
            wires = self._read(segment, max_records - len(taken), max_bytes)
            taken += [(wire, segment) for wire in wires]
            max_bytes -= sum(map(len, wires))
            recovered += len(wires) if segment.is_adopted else 0
            if segment.is_done:
                self._remove(segment)
            if len(taken) >= max_records or max_bytes <= 0:
                break
        return taken, recovered

    def _read(self, segment: Segment, max_records: int, max_bytes: int) -> list[bytes]:
        wires, damaged, lost = segment.read(max_records, max_bytes)
        if not segment.is_adopted:
            self.taken += len(wires) + lost
        for damage in damaged:
            self.damaged += 1
            name = f"{segment.owner.path.name}-{segment.path.stem}-{self.damaged}"
            self._quarantine.add(name, damage)
        if lost:
            self._lost(lost)
        return wires

    def acknowledge(self, segment: Segment) -> None:
        """Say that an event needs no further attempt; a segment that is done is removed."""
        segment.outstanding -= 1
        if segment.outstanding:
            return
        if segment.is_read:
            self.appender.complete_drained(segment)
        if segment.is_done:
            self._remove(segment)
        else:
            segment.acknowledge()

    def _remove(self, segment: Segment) -> None:
        self._segments.remove(segment)
        segment.remove()
        self.appender.bytes_freed += segment.size
        owner = segment.owner
        if owner is self.appender.own or any(other.owner is owner for other in self._segments):
            return
        owner.release()
        if segment.is_failing:
            self._orphans.defer(owner.path)
        self._orphans.is_wanted = True  # there may be more than were adopted at once

    def close(self) -> None:
        """Sync and unlock; the next process delivers the pending events."""
        is_ended = self.appender.end()
        self._quarantine.close()
        self._let_go(None if is_ended else self.appender.own)
        self.appender.close()

    def _let_go(self, own: ProcessDirectory | None) -> None:
        owners = self._owners() - {own}
        for segment in [each for each in self._segments if each.owner is not own]:
            self._segments.remove(segment)
            if segment.is_done:
                segment.remove()
            else:
                segment.close()
        self._orphans.claimed.clear()
        self.appender.own = own
        for owner in owners:
            owner.release()

    def _owners(self) -> set[ProcessDirectory]:
        owners = {
            *list(self._orphans.claimed),
            *(segment.owner for segment in list(self._segments)),
        }
        own = self.appender.own
        return owners if own is None else owners | {own}
