"""Count the processes that died while they delivered a message.

A broker delivers a message again if its worker died, without end if one of its events kills each
worker. The counts are in a directory that the workers of a machine share; a message that is split
carries the count of its events.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from eventtracking_core.delivery.storage.deaths import DeathCounts
from eventtracking_core.lifecycle.holders import join

__all__ = ["Deliveries"]

MAX_MESSAGES: Final = 100
"""Messages whose count is kept; most of them are delivered by now, by another process."""


class Deliveries:
    """The deliveries of one node in this process.

    Args:
        directory: where the processes that deliver keep their counts.
        base: the directory that the operator configured; no link is followed below it.
    """

    def __init__(self, directory: Path, base: Path) -> None:
        self._counts = DeathCounts(directory, base)
        self._reset()
        join(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._messages: set[str] = set()

    def forked(self) -> None:
        """Reset in a forked child: the deliveries are the parent's."""
        self._counts.forked()
        self._reset()

    @contextmanager
    def delivering(self, message_id: str) -> Iterator[int]:
        """Note a delivery until it returns; yield how many processes died in earlier ones."""
        with self._lock:
            self._counts.collect()
            deaths = self._counts.of(message_id)
            if len(self._counts) > MAX_MESSAGES and not self._messages:
                self._counts.clear()
            self._messages.add(message_id)
            self._counts.trying(self._messages)
        try:
            yield deaths
        finally:
            with self._lock:
                self._messages.discard(message_id)
                self._counts.forget(message_id)
                self._counts.trying(self._messages)
