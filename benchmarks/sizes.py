"""What an event costs by the number of its values, and by the number of leaves.

`python -m benchmarks.sizes` prints it; `--json` for `benchmarks.performance`.
"""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.cliffs import is_whole_with
from benchmarks.contestant import Contestant
from benchmarks.floors import encoding_floor, writing_floor
from benchmarks.machine import machine
from benchmarks.ours import buffered, contestant
from benchmarks.rounds import nothing_swallowed, rounds
from benchmarks.sinks import Lines
from benchmarks.table import table

__all__ = ["BY_LEAVES", "BY_VALUES", "LEAVES", "VALUES"]

VALUES: Final = (3, 10, 30, 100, 300, 1000)
LEAVES: Final = (1, 2, 4, 8, 16)

BY_VALUES: Final = ("file", "FLOOR2", "queue", "FLOOR1")
BY_LEAVES: Final = ("queue", "spool")


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizes", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=2_000, help="a contestant and round")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="eventtracking-benchmarks-") as name:
        measured = _measured(Path(name), options.rounds, options.events)
    if options.json:
        print(json.dumps({"machine": machine(), **measured}, indent=2))
        return
    for what, columns in measured.items():
        head = (what, *columns)
        lines = [
            (number, *(f"{column[number]:.2f}" for column in columns.values()))
            for number in next(iter(columns.values()))
        ]
        print(table([head, *lines], range(len(head))), end="\n\n")


def _measured(directory: Path, number: int, events: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return the median µs an event: by what grows, by contestant, by its number."""
    with ExitStack() as stack, nothing_swallowed():
        everybody = [*_by_values(directory, stack), *_by_leaves(directory, stack)]
        samples = rounds(everybody, number=number, events=events, progress=lambda _: None)

    def column(name: str, what: str, numbers: tuple[int, ...]) -> dict[str, float]:
        name = name if name.startswith("FLOOR") else f"ours: {name}"
        return {str(each): median(samples[f"{name}, {each} {what}"]) for each in numbers}

    return {
        "values": {name: column(name, "values", VALUES) for name in BY_VALUES},
        "leaves": {name: column(name, "leaves", LEAVES) for name in BY_LEAVES},
    }


def _by_values(directory: Path, stack: ExitStack) -> list[Contestant]:
    contestants = []
    for number in VALUES:
        data: dict[str, Any] = {f"field{each}": each for each in range(number)}
        name, whole = f"{number} values", partial(is_whole_with, data)
        floor = Lines(directory / f"floor{number}.ndjson", whole)
        lines = Lines(directory / f"values{number}.ndjson", whole)
        file = {"backends": {"sink": {"type": "file", "path": str(lines.path)}}}
        queue = buffered("queue", directory)
        contestants += [
            encoding_floor(f"FLOOR1, {name}", data),
            writing_floor(f"FLOOR2, {name}", data, floor, stack),
            contestant(f"file, {name}", file, stack, data=data, lines=lines),
            contestant(f"queue, {name}", queue, stack, data=data, pauses=True),
        ]
    return contestants


def _by_leaves(directory: Path, stack: ExitStack) -> list[Contestant]:
    return [
        contestant(
            f"{mode}, {number} leaves",
            buffered(mode, directory / f"{mode}-{number}", leaves=number),
            stack,
            pauses=True,
        )
        for mode in BY_LEAVES
        for number in LEAVES
    ]


if __name__ == "__main__":
    main()
