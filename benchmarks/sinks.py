"""Where events arrive, and are counted."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from benchmarks.sample import CONTEXT, DATA, NAME

__all__ = ["CountingBackend", "Lines", "is_whole"]


def is_whole(line: dict[str, Any]) -> bool:
    """Return whether a line has everything that was said."""
    return (line["name"], line["data"], line["context"]) == (NAME, DATA, CONTEXT)


class Lines:
    """A file of one JSON object a line, emptied each time it has been counted.

    Args:
        path: the file; writers append to it.
        is_whole: returns whether a line has everything that was emitted.
    """

    def __init__(self, path: Path, is_whole: Callable[[dict[str, Any]], bool] = is_whole) -> None:
        self.path = path
        self._is_whole = is_whole

    def delivered(self) -> int:
        """Return how many events there are; each is read. Records of their types are no events."""
        written = self.path.read_bytes().splitlines()
        lines = [line for line in written if not line.startswith(b'{"event_type":')]
        os.truncate(self.path, 0)
        assert all(self._is_whole(orjson.loads(line)) for line in lines), "a line is not whole"
        return len(lines)


class CountingBackend:
    """Accepts every event and keeps none."""

    def __init__(self) -> None:
        self.count = 0

    def send(self, event: object) -> None:  # noqa: ARG002  the signature of a backend
        """Count the event."""
        self.count += 1

    def delivered(self) -> int:
        """Return how many came since the last time."""
        count, self.count = self.count, 0
        return count
