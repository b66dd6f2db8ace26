"""Measure, and print the tables: `python -m benchmarks`; `compare A.json B.json` two runs."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from math import isnan
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.cliffs import cliffs
from benchmarks.comparison import compare
from benchmarks.deep import deep
from benchmarks.deliveries import deliveries
from benchmarks.floors import floors
from benchmarks.machine import machine
from benchmarks.middleware import middleware
from benchmarks.ours import ours
from benchmarks.peers import peers
from benchmarks.rounds import Samples, import_rounds, nothing_swallowed, rounds
from benchmarks.rows import IMPORTS, Result, drifting, results
from benchmarks.table import contestants_table, rows_table
from benchmarks.threads import threads
from benchmarks.through_structlog import through_structlog

NOTES = (
    "A call of event-tracking's into a black hole is cancelled after 30 s.",
    "Ratios: `must ≤` is ours / reference, `must ≥` and rows without one are reference / ours.",
)


def main() -> None:
    """Run everything once and print what was measured, or compare two runs."""
    options = _options()
    if options.compare:
        _compare(*options.compare)
        return
    with TemporaryDirectory(prefix="eventtracking-benchmarks-") as name:
        directory = Path(name)
        samples, statements, missing = _measured(options, directory)
    measured = results(samples, missing)
    if options.json:
        print(json.dumps(_document(options, samples, measured), indent=2))
    else:
        _print(options, samples, statements, measured)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("compare", nargs="*", metavar="compare BEFORE AFTER", help="two runs")
    parser.add_argument("--json", action="store_true", help="print JSON, with every sample")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 2,000: to see it run")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--events", type=int, default=20_000, help="a contestant and round")
    parser.add_argument("--imports", type=int, default=25, help="rounds of fresh interpreters")
    parser.add_argument("--deliveries", type=int, default=5, help="rounds to MongoDB and Segment")
    options = parser.parse_args()
    if options.compare:
        if len(options.compare) != 3 or options.compare[0] != "compare":  # noqa: PLR2004
            parser.error("compare takes two files: compare BEFORE.json AFTER.json")
        options.compare = [Path(name) for name in options.compare[1:]]
    if options.quick:
        options.rounds, options.events, options.imports, options.deliveries = 3, 2_000, 5, 2
    return options


def _measured(options: argparse.Namespace, directory: Path) -> tuple[Samples, dict[str, str], str]:
    """Return what was measured, with the statements, and why something could not be."""
    with ExitStack() as stack, nothing_swallowed():
        everybody = [
            *floors(directory, stack),
            *ours(directory, stack),
            *cliffs(directory, stack),
            *deep(directory, stack),
            *through_structlog(stack),
            *middleware(stack),
            *peers(directory, stack),
        ]
        samples = rounds(
            everybody, number=options.rounds, events=options.events, progress=_progress
        )
    samples |= import_rounds(
        IMPORTS, number=options.imports, directory=directory, progress=_progress
    )
    with nothing_swallowed():
        samples |= threads(
            directory, number=options.deliveries, events=4 * options.events, progress=_progress
        )
    delivered = deliveries(directory, number=options.deliveries, progress=_progress)
    said = {each.name: each.statement for each in everybody} | delivered.statements | IMPORTS
    return samples | delivered.samples, said, delivered.missing


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _print(
    options: argparse.Namespace,
    samples: Samples,
    statements: dict[str, str],
    measured: list[Result],
) -> None:
    _progress("")
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    print(
        f"medians of {options.rounds} interleaved rounds of {options.events} events, µs an event;"
        f" deliveries: of {options.deliveries} rounds, µs an event until all are there;"
        f" imports: of {options.imports} fresh interpreters each, ms\n"
    )
    print(contestants_table(samples, statements), end="\n\n")
    print(rows_table(measured), end="\n\n")
    print("\n".join([*NOTES, *drifting(samples)]))


def _compare(before: Path, after: Path) -> None:
    try:
        text, is_worse = compare(before, after)
    except ValueError as error:
        sys.exit(str(error))
    print(text)
    sys.exit(1 if is_worse else 0)


def _document(
    options: argparse.Namespace, samples: Samples, measured: list[Result]
) -> dict[str, object]:
    return {
        "machine": machine(),
        "rounds": options.rounds,
        "events": options.events,
        "imports": options.imports,
        "deliveries": options.deliveries,
        "samples": samples,
        "rows": [
            {
                "path": result.row.path,
                "ours": result.row.ours,
                "reference": result.row.reference,
                "ours_median": _number(result.ours),
                "reference_median": _number(result.reference),
                "kind": result.row.kind,
                "ratio": _number(result.ratio),
                "spread": None if isnan(result.spread[0]) else result.spread,
                "must": result.row.must,
                "reach": result.row.reach,
                "verdict": result.verdict,
            }
            for result in measured
        ],
        "notes": [*NOTES, *drifting(samples)],
    }


def _number(value: float) -> float | None:
    """Return None for what was not measured: JSON has no nan."""
    return None if isnan(value) else value


if __name__ == "__main__":
    main()
