"""Two runs beside each other: what became slower, and what became faster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.table import table

__all__ = ["compare"]

ALLOWED: Final = 0.03
"""By how much a row may become worse."""

Figures = Mapping[str, Any]
Key = tuple[str, str, str]


def compare(before: Path, after: Path) -> tuple[str, bool]:
    """Return a table of the rows that both runs have, and whether any became worse.

    A row is worse if its ratio is by more than 3 %, and the halves of the rounds in the middle do
    not overlap: anything less may be chance.

    Args:
        before: what `python -m benchmarks --json` printed.
        after: the same, of a later run.

    Raises:
        ValueError: a file is not such a document.
    """
    old, new = _rows(before), _rows(after)
    lines = [_line(key, old[key], new[key]) for key in old if key in new]
    head = ("row", "reference", "before", "after", "change", "")
    return table([head, *lines], range(2, 5)), any(line[-1] == "worse" for line in lines)


def _rows(path: Path) -> dict[Key, Figures]:
    try:
        rows = json.loads(path.read_text())["rows"]
        measured = [row for row in rows if row["ratio"] is not None]
        return {(row["path"], row["ours"], row["reference"]): row for row in measured}
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path}: not what `python -m benchmarks --json` prints ({type(error).__name__})"
        raise ValueError(msg) from None


def _line(key: Key, before: Figures, after: Figures) -> tuple[str, ...]:
    old, new = before["ratio"], after["ratio"]
    change = new / old - 1 if old else 0.0
    # More is better only where the row says how many times faster ours is.
    worsening = -change if after["kind"] == "at least" else change
    verdict = ""
    if not _overlap(before["spread"], after["spread"]):
        if worsening > ALLOWED:
            verdict = "worse"
        elif worsening < -ALLOWED:
            verdict = "better"
    return (key[0], key[2], f"{old:.3f}", f"{new:.3f}", f"{change:+.1%}", verdict)


def _overlap(before: tuple[float, float] | None, after: tuple[float, float] | None) -> bool:
    if before is None or after is None:
        return False
    return before[0] <= after[1] and after[0] <= before[1]
