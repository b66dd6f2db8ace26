"""Compare the drop-in with the published event-tracking, by a program that runs with either.

`python -m benchmarks.drop_in` makes an environment for each, since both have the same package, and
runs the program in both by turns. Figures are the best of all runs. It needs uv and an index.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

PROGRAM: Final = Path(__file__).with_name("drop_in_program.py")
ROOT: Final = PROGRAM.parents[1]
REQUIREMENTS: Final = {
    "event-tracking": ["event-tracking"],
    "eventtracking-compat": ["--editable", "plugins/compat"],
}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drop_in", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    with TemporaryDirectory(prefix="eventtracking-drop-in-") as name:
        pythons = {each: _environment(Path(name) / each, each) for each in REQUIREMENTS}
        for _ in range(options.rounds):
            for distribution, python in pythons.items():
                for row, figure in _run(python, options.events).items():
                    best = found.setdefault(row, {})
                    best[distribution] = min(figure, best.get(distribution, figure))
    print(f"| | {' | '.join(REQUIREMENTS)} |\n| --- |{' --- |' * len(REQUIREMENTS)}")
    for row, figures in found.items():
        print(f"| {row} | {' | '.join(f'{figures[each]:.1f}' for each in REQUIREMENTS)} |")


def _environment(directory: Path, distribution: str) -> Path:
    """Return the Python of a new environment that has a distribution."""
    python = directory / "bin" / "python"
    environ = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    pinned = ("--constraints", "constraints.txt", *REQUIREMENTS[distribution])
    for words in (
        ("venv", "--python", sys.executable, str(directory)),
        ("pip", "install", "--python", str(python), *pinned),
    ):
        subprocess.run(["uv", *words, "--quiet"], check=True, cwd=ROOT, env=environ, timeout=300)
    return python


def _run(python: Path, events: int) -> dict[str, float]:
    ran = subprocess.run(
        [python, str(PROGRAM), str(events)], check=True, capture_output=True, text=True, timeout=300
    )
    figures: dict[str, float] = json.loads(ran.stdout)
    return figures


if __name__ == "__main__":
    main()
