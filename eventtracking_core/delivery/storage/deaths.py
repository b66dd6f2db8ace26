"""Events that were being delivered when their process died, counted across processes.

Each process that delivers from a spool has a file, locked while it lives: the ids of the events
that the backend has now, and how many processes died on those that came back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from eventtracking_core.delivery.storage.directory import make_private
from eventtracking_core.delivery.storage.files import (
    Identity,
    close_ours,
    create_private,
    identity,
    lock_in_place,
    open_regular,
)
from eventtracking_core.files.locks import lock

__all__ = ["DeathCounts"]


class DeathCounts:
    """How often a process died while it delivered an event; for the thread that delivers.

    What cannot be written or read is not counted: a death more is what that costs.

    Args:
        directory: the leaf's, for the files.
        base: what the operator configured.
    """

    def __init__(self, directory: Path, base: Path) -> None:
        self._directory = directory
        self._base = base
        self._path: Path | None = None
        self._file = -1
        self._identity: Identity | None = None
        self._deaths: dict[str, int] = {}
        self._is_trying = False

    def __len__(self) -> int:
        return len(self._deaths)

    def of(self, event_id: str) -> int:
        """Return how many processes died while they delivered an event."""
        return self._deaths.get(event_id, 0)

    def collect(self) -> None:
        """Take over what processes that died left, and look at what living ones know."""
        files: list[tuple[Path, int]] = []
        with suppress(OSError):
            for path in list(self._directory.iterdir()):
                if path != self._path:
                    with suppress(OSError, ValueError):
                        files += self._read(path)
        if files:
            self._write([])
            for path, file in files:
                with suppress(OSError):
                    path.unlink()
                os.close(file)

    def _read(self, path: Path) -> Iterator[tuple[Path, int]]:
        """Add up what a file says; yield it, locked, if its process is dead."""
        file = open_regular(path)
        is_dead = False
        try:
            with suppress(BlockingIOError):
                lock(file)
                is_dead = True
            size = os.fstat(file).st_size
            text: Any = json.loads(os.pread(file, size, 0) or b"{}")
            deaths: dict[str, int] = dict(text.get("deaths", {}))
            for event_id in set(text.get("trying", ())) if is_dead else ():
                deaths[event_id] = deaths.get(event_id, 0) + 1
            for event_id, number in deaths.items():
                self._deaths[event_id] = max(number, self.of(event_id))
        except BaseException:
            os.close(file)
            raise
        if is_dead:
            yield path, file
        else:
            os.close(file)

    def trying(self, ids: Iterable[str]) -> None:
        """Note which events the backend is about to have."""
        self._write(list(ids))

    def returned(self) -> None:
        """Note that the backend has none of them any more."""
        if self._is_trying:
            self._write([])

    def forget(self, event_id: str) -> None:
        """Forget an event that was delivered, dropped or dead-lettered."""
        if self._deaths:
            self._deaths.pop(event_id, None)

    def _write(self, ids: list[str]) -> None:
        self._is_trying = bool(ids)
        text = json.dumps({"deaths": self._deaths, "trying": ids}).encode()
        with suppress(OSError):
            if self._file < 0 or identity(self._file) != self._identity:
                # Or a program closed what is not its own, and the number may be another file's.
                if self._path is not None:
                    self._path.unlink(missing_ok=True)
                self._file, self._path = self._create()
                self._identity = identity(self._file)
            os.ftruncate(self._file, os.pwrite(self._file, text, 0))

    def _create(self) -> tuple[int, Path]:
        make_private(self._directory, self._base)
        while True:
            path = self._directory / f"{os.getpid()}-{token_hex(4)}"
            file = create_private(path)
            # Another process may take it for one of the dead, and remove it.
            with suppress(BlockingIOError, FileNotFoundError, InterruptedError):
                lock_in_place(file, path)
                return file, path

    def clear(self) -> None:
        """Forget everything: no event of those that are known is pending here."""
        if self._deaths or self._is_trying:
            self._deaths = {}
            self._write([])

    def close(self) -> None:
        """End in order: nothing is being delivered; what came back and has no outcome is kept."""
        if self._file >= 0:
            self._write([])
            if not self._deaths and self._path is not None:
                with suppress(OSError):
                    self._path.unlink()
        self.forked()

    def forked(self) -> None:
        """Close, in a forked child, what is the parent's."""
        file, self._file, self._path = self._file, -1, None
        self._deaths = {}
        close_ours(file, self._identity)
