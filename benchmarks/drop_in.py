"""Compare the drop-in with the published event-tracking, by a program that runs with either.

`python -m benchmarks.drop_in` makes an environment for each, since both have the same package, and
runs the program in both by turns, with the same MongoDB and Valkey. Figures are the best of all
runs. It needs uv and an index.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.services import mongod, valkey

PROGRAM: Final = Path(__file__).with_name("drop_in_program.py")
ROOT: Final = PROGRAM.parents[1]
REQUIREMENTS: Final = {
    "event-tracking": ["event-tracking", "packaging", "redis"],
    "eventtracking-compat": ["--editable", "plugins/compat", "packaging", "redis"],
}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drop_in", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    with TemporaryDirectory(prefix="eventtracking-drop-in-") as name, ExitStack() as stack:
        directory = Path(name)
        pythons = {each: _environment(directory / each, each) for each in REQUIREMENTS}
        uri = mongod(directory, stack).uri
        os.environ["BENCHMARKS_BROKER"] = valkey(directory, stack).url
        for _ in range(options.rounds):
            for distribution, python in pythons.items():
                for row, figure in _run(python, str(options.events), uri, name).items():
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


def _run(python: Path, *arguments: str) -> dict[str, float]:
    """Return the figures of the program, by row.

    Tracebacks are not shown: they have lines of the published package, whose source we do not read.
    """
    command = [python, str(PROGRAM), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert not ran.returncode, ran.stderr.splitlines()[-1:]
    figures: dict[str, float] = json.loads(ran.stdout)
    return figures


if __name__ == "__main__":
    main()
