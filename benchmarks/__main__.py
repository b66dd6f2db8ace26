"""Measure, and print the tables: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.cliffs import cliffs
from benchmarks.deliveries import deliveries
from benchmarks.floors import floors
from benchmarks.machine import machine
from benchmarks.ours import ours
from benchmarks.peers import peers
from benchmarks.rounds import Samples, import_rounds, nothing_swallowed, rounds
from benchmarks.rows import IMPORTS, Result, results
from benchmarks.table import contestants_table, rows_table
from benchmarks.through_structlog import through_structlog

NOTES = (
    "A call of event-tracking's into a black hole is given up on after 30 s.",
    "Ratios: `must ≤` is ours / reference, `must ≥` and rows without one are reference / ours.",
)


def main() -> None:
    """Run everything once and print what was measured."""
    options = _options()
    with TemporaryDirectory(prefix="eventtracking-benchmarks-") as name:
        directory = Path(name)
        samples, statements, missing = _measured(options, directory)
    measured = results({name: median(times) for name, times in samples.items()}, missing)
    if options.json:
        print(json.dumps(_document(options, samples, measured), indent=2))
    else:
        _print(options, samples, statements, measured)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, with every sample")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 2,000: to see it run")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--events", type=int, default=20_000, help="a contestant and round")
    parser.add_argument("--imports", type=int, default=25, help="rounds of fresh interpreters")
    parser.add_argument("--deliveries", type=int, default=5, help="rounds to MongoDB and Segment")
    options = parser.parse_args()
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
            *through_structlog(stack),
            *peers(directory, stack),
        ]
        samples = rounds(
            everybody, number=options.rounds, events=options.events, progress=_progress
        )
    samples |= import_rounds(
        IMPORTS, number=options.imports, directory=directory, progress=_progress
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
    print("\n".join(NOTES))


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
                "ours_median": result.ours,
                "reference_median": result.reference,
                "kind": result.row.kind,
                "ratio": result.ratio,
                "must": result.row.must,
                "reach": result.row.reach,
                "verdict": result.verdict,
            }
            for result in measured
        ],
        "notes": NOTES,
    }


if __name__ == "__main__":
    main()
