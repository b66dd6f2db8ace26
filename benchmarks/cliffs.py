"""Events of every kind that once cost ten times: each beside its own floor."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks.contestant import Contestant
from benchmarks.floors import writing_floor
from benchmarks.ours import contestant
from benchmarks.sample import CONTEXT, DATA, NAME
from benchmarks.sinks import Lines

__all__ = ["CLIFFS", "cliffs", "is_whole_with"]


class _Safe(str):
    """Text as template engines mark it."""

    __slots__ = ()


@dataclass
class _Choice:
    """A record, as applications have them."""

    number: int
    letter: str


_TEXT: Final = 64 * 1024
CLIFFS: Final[dict[str, dict[str, Any]]] = {
    "80 values": DATA | {f"field{number}": number for number in range(60)},
    "1,000 ints": {f"field{number}": number for number in range(1000)},
    "a naive datetime": DATA | {"due": datetime(2026, 9, 12)},  # noqa: DTZ001  the case
    "a class of str": DATA | {"title": _Safe("A title")},
    "a record": DATA | {"choice": _Choice(1, "b")},
    "400 dicts": DATA | {"items": [{"a": number, "b": "text"} for number in range(400)]},
    "1,000 ints and a naive datetime": {f"field{number}": number for number in range(1000)}
    | {"due": datetime(2026, 9, 12)},  # noqa: DTZ001  the case
    "64 KiB with many T": DATA | {"text": "T at T " * (_TEXT // 7)},
    "64 KiB of Latin": DATA | {"text": "f\u00fcr " * (_TEXT // 5)},
    "64 KiB of Cyrillic": DATA | {"text": "\u043f\u0440\u0438\u0432\u0435\u0442 " * (_TEXT // 13)},
}
"""Data of events."""


def cliffs(directory: Path, stack: ExitStack) -> list[Contestant]:
    """Return our emit to a file, and the floor, of each of these events."""
    contestants = []
    for number, (name, data) in enumerate(CLIFFS.items()):
        whole = partial(is_whole_with, orjson.loads(orjson.dumps(data, option=orjson.OPT_UTC_Z)))
        floor = Lines(directory / f"cliff-floor{number}.ndjson", whole)
        ours = Lines(directory / f"cliff{number}.ndjson", whole)
        config = {"backends": {"sink": {"type": "file", "path": str(ours.path)}}}
        contestants += [
            writing_floor(f"FLOOR2: {name}", data, floor, stack),
            contestant(f"file, {name}", config, stack, data=data, lines=ours),
        ]
    return contestants


def is_whole_with(data: Mapping[str, Any], line: dict[str, Any]) -> bool:
    """Return whether a line has the sample event with these data."""
    if "due" in line["data"]:  # the floor leaves it without its zone
        line["data"]["due"] = line["data"]["due"].removesuffix("Z")
    return (line["name"], line["data"], line["context"]) == (NAME, data, CONTEXT)
