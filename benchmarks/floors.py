"""The floors that DESIGN prints: work that no library can avoid."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from benchmarks.contestant import Contestant
from benchmarks.sample import C1, C2, DATA, NAME
from benchmarks.sinks import Lines

__all__ = ["encoding_floor", "floor1", "floors", "writing_floor"]


def floor1() -> bytes:
    """Do what any tracker must do."""
    return orjson.dumps(
        {"name": NAME, "timestamp": datetime.now(UTC), "data": DATA, "context": {**C1, **C2}}
    )


def floors(directory: Path, stack: ExitStack) -> list[Contestant]:
    """Return FLOOR1, which delivers nowhere, and FLOOR2, which writes a line."""
    return [
        Contestant("FLOOR1", "floor1()", {"floor1": floor1}, None),
        writing_floor("FLOOR2", DATA, Lines(directory / "floor2.ndjson"), stack),
    ]


def encoding_floor(name: str, data: Mapping[str, Any]) -> Contestant:
    """Return FLOOR1 of an event with these data."""

    def floor() -> bytes:
        return orjson.dumps(
            {"name": NAME, "timestamp": datetime.now(UTC), "data": data, "context": {**C1, **C2}}
        )

    return Contestant(name, "floor()", {"floor": floor}, None)


def writing_floor(name: str, data: Mapping[str, Any], lines: Lines, stack: ExitStack) -> Contestant:
    """Return FLOOR2 of an event with these data."""
    fd = os.open(lines.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    stack.callback(os.close, fd)

    def floor() -> None:
        event = {
            "name": NAME,
            "timestamp": datetime.now(UTC),
            "data": data,
            "context": {**C1, **C2},
        }
        os.write(fd, orjson.dumps(event) + b"\n")

    return Contestant(name, "floor()", {"floor": floor}, lines.delivered)
