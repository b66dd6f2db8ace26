"""Keep bytes that are not a valid record of a spool, for inspection."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from time import monotonic
from typing import Final

from eventtracking_core.delivery.storage.directory import make_private
from eventtracking_core.delivery.storage.files import create_private
from eventtracking_core.delivery.storage.reader import Damage
from eventtracking_core.diagnostics import ERROR, log, report

__all__ = ["Quarantine"]

MAX_FILES: Final = 1000
MAX_BYTES: Final = 64 * 2**20

MAX_WAITING: Final = 100
"""Damaged records that wait in memory while the disk does not take them."""

RETRY_INTERVAL: Final = 1.0
"""Seconds after which the disk is tried again."""


class Quarantine:
    """A directory of damaged bytes, a file each; for the thread that delivers.

    It takes 1,000 files and 64 MiB; beyond that, nothing is added to it.

    Args:
        directory: where the files are; made when there is a first one.
        base: the directory that the operator configured; no link is followed below it.
    """

    def __init__(self, directory: Path, base: Path) -> None:
        self._directory = directory
        self._base = base
        self._waiting: deque[tuple[str, Damage]] = deque(maxlen=MAX_WAITING)
        self._retry_at = 0.0

    def add(self, name: str, damage: Damage) -> None:
        """Keep damaged bytes, later if the disk does not take them now."""
        report(ERROR, "damaged", "spool: %d damaged bytes were quarantined", damage.size)
        if len(self._waiting) == MAX_WAITING:
            self._report_lost(self._waiting.popleft()[1])
        self._waiting.append((name, damage))
        self.store()

    def store(self) -> None:
        """Write the pending bytes, unless the disk refused them just now."""
        if self._waiting and monotonic() >= self._retry_at:
            self._store_all()

    def _store_all(self) -> None:
        self._retry_at = 0.0
        while self._waiting:
            try:
                self._store(*self._waiting[0])
            except OSError as error:
                report(ERROR, ("aside", type(error)), "spool: %s", error)
                self._retry_at = monotonic() + RETRY_INTERVAL
                return
            self._waiting.popleft()

    def _store(self, name: str, damage: Damage) -> None:
        directory = self._directory
        make_private(directory, self._base)
        with os.scandir(directory) as entries:
            sizes = [entry.stat(follow_symlinks=False).st_size for entry in entries]
        if len(sizes) >= MAX_FILES or sum(sizes) + len(damage.content) > MAX_BYTES:
            message = "spool: %s is full, further damaged bytes are not kept"
            report(ERROR, ("full", directory), message, directory)
            return
        path = directory / name
        if os.path.lexists(path):  # of another process that read the same segment
            path = directory / f"{name}-{token_hex(4)}"
        descriptor = create_private(path)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(damage.content)
        except OSError:
            with suppress(OSError):
                path.unlink()
            raise

    def close(self) -> None:
        """Try a last time; log how much is lost."""
        self._store_all()
        while self._waiting:
            self._report_lost(self._waiting.popleft()[1])

    @staticmethod
    def _report_lost(damage: Damage) -> None:
        message = "spool: %d damaged bytes are lost: they could not be quarantined"
        log(ERROR, message, damage.size)
