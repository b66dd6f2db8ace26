"""An event that is deeper than the others: each way beside the floor of the same event."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.cliffs import is_whole_with
from benchmarks.contestant import Contestant
from benchmarks.floors import encoding_floor, writing_floor
from benchmarks.ours import NULL, buffered, contestant
from benchmarks.sample import DEEP
from benchmarks.sinks import Lines

__all__ = ["DEEP_FLOOR1", "DEEP_FLOOR2", "deep"]

DEEP_FLOOR1: Final = "FLOOR1: deep"
DEEP_FLOOR2: Final = "FLOOR2: deep"


def deep(directory: Path, stack: ExitStack) -> list[Contestant]:
    """Return our emit to each kind of leaf, and both floors, of the deeper event."""
    whole = partial(is_whole_with, DEEP)
    floor = Lines(directory / "deep-floor.ndjson", whole)
    ours = Lines(directory / "deep.ndjson", whole)
    to_file = {"backends": {"sink": {"type": "file", "path": str(ours.path)}}}
    return [
        encoding_floor(DEEP_FLOOR1, DEEP),
        writing_floor(DEEP_FLOOR2, DEEP, floor, stack),
        contestant("null, deep", NULL, stack, data=DEEP),
        contestant("file, deep", to_file, stack, data=DEEP, lines=ours),
        *[
            contestant(
                f"{mode}, deep",
                buffered(mode, directory / f"deep-{mode}"),
                stack,
                data=DEEP,
                pauses=True,
            )
            for mode in ("queue", "spool")
        ],
    ]
