"""Sinks for workers."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from threading import Event as Signal

from eventtracking_sqlite import SqliteBackend


class Holding(SqliteBackend):
    """Says when it has a batch, and stores it once the file `release` is there."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._directory = Path(path).parent

    def send_batch(self, events, *, timeout):
        (self._directory / f"holding-{os.getpid()}").touch()
        while not (self._directory / "release").exists():
            Signal().wait(0.02)
        super().send_batch(events, timeout=timeout)


class Killing(SqliteBackend):
    """Kills its process where an event is numbered 7."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._directory = Path(path).parent

    def send_batch(self, events, *, timeout):
        if any(event["data"]["n"] == 7 for event in events):
            (self._directory / f"death-{os.getpid()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        super().send_batch(events, timeout=timeout)
