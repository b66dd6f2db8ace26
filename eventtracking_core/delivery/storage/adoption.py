"""The directories of processes that ended: which of them are adopted, and when."""

from __future__ import annotations

from collections import deque
from math import inf
from pathlib import Path
from time import monotonic
from typing import Final

from eventtracking_core.delivery.storage.directory import (
    ProcessDirectory,
    claim,
    process_directories,
)
from eventtracking_core.delivery.storage.reader import UnknownFormatError
from eventtracking_core.delivery.storage.segment import Segment, adopted
from eventtracking_core.diagnostics import ERROR, report

__all__ = ["Orphans"]

ADOPTS_AT_ONCE: Final = 8
"""Directories, each of which takes a descriptor for its lock, and one for its reader."""

RETRY_INTERVAL: Final = 5.0
"""Seconds after which a directory that could not be adopted is tried again."""


class Orphans:
    """The directories in a spool whose process has ended, a few of them at a time.

    Args:
        spool: where they are.
        base: the directory that the operator configured.
    """

    def __init__(self, spool: Path, base: Path) -> None:
        self._spool = spool
        self._base = base
        self.claimed: deque[ProcessDirectory] = deque()
        self.is_wanted = False
        """Whether to look for some at the next occasion."""
        self._deferred: dict[Path, float] = {}
        self._retry_at = inf

    @property
    def is_due(self) -> bool:
        """Whether it is time to look for some."""
        return self.is_wanted or monotonic() >= self._retry_at

    def seek(self, ours: set[ProcessDirectory]) -> bool:
        """Lock what dead processes left; return whether there is anything.

        Args:
            ours: the directories that this process has.
        """
        self.is_wanted = False
        now = monotonic()
        self._deferred = {path: until for path, until in self._deferred.items() if until > now}
        try:
            paths = process_directories(self._spool, self._base)
        except OSError as error:
            self._refused(self._spool, error)
            paths = []
        passed_over = {*self._deferred, *(owner.path for owner in ours)}
        for path in paths:
            if len(self.claimed) < ADOPTS_AT_ONCE and path not in passed_over:
                try:
                    owner = claim(path)
                except OSError as error:
                    self._refused(path, error)
                else:
                    self.claimed.extend([] if owner is None else [owner])
        self._retry_at = min(self._deferred.values(), default=inf)
        return bool(self.claimed)

    def adopt(self) -> list[Segment]:
        """Return the segments in the directories that were locked."""
        segments: list[Segment] = []
        while self.claimed:
            owner = self.claimed.popleft()
            left_segments = self._segments_of(owner)
            segments += left_segments
            if not left_segments:
                owner.release()
                self.is_wanted = True  # there may be more than were adopted at once
        return segments

    def _segments_of(self, owner: ProcessDirectory) -> list[Segment]:
        """Return the segments in a directory, without those that cannot be read now."""
        segments: list[Segment] = []
        try:
            paths = owner.segments()
        except OSError:
            self.defer(owner.path)
            return []
        for path in paths:
            try:
                segments.append(adopted(path, owner))
            except FileNotFoundError:  # removed by hand
                continue
            except UnknownFormatError:
                message = "spool: %s is of another format, perhaps a later one, and is left alone"
                report(ERROR, ("format", path), message, path)
                self._deferred.setdefault(owner.path, inf)
            except OSError as error:
                message = "spool: %s cannot be read, and is tried again later: %s"
                report(ERROR, ("adopt", type(error)), message, path, error)
                self.defer(owner.path)
        return segments

    def defer(self, path: Path) -> None:
        """Leave a directory alone for a while, so that others get their turn."""
        self._deferred[path] = self._retry_at = monotonic() + RETRY_INTERVAL

    def _refused(self, path: Path, error: OSError) -> None:
        message = "spool: %s cannot be adopted, and is tried again later: %s"
        report(ERROR, ("adopt", path), message, path, error)
        self.defer(path)
