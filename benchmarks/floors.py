"""What nobody can do without: the floors that DESIGN prints, to the letter."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import orjson

from benchmarks.contestant import Contestant
from benchmarks.sample import C1, C2, DATA, NAME
from benchmarks.sinks import Lines

__all__ = ["floor1", "floors"]


def floor1() -> bytes:
    """Do what any tracker must do."""
    return orjson.dumps(
        {"name": NAME, "timestamp": datetime.now(UTC), "data": DATA, "context": {**C1, **C2}}
    )


def floors(directory: Path, stack: ExitStack) -> list[Contestant]:
    """Return FLOOR1, which delivers nowhere, and FLOOR2, which writes a line."""
    lines = Lines(directory / "floor2.ndjson")
    fd = os.open(lines.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    stack.callback(os.close, fd)

    def floor2() -> None:
        os.write(fd, floor1() + b"\n")

    return [
        Contestant("FLOOR1", "floor1()", {"floor1": floor1}, None),
        Contestant("FLOOR2", "floor2()", {"floor2": floor2}, lines.delivered),
    ]
