"""The page on performance, from what was measured.

`python -m benchmarks.performance ROWS.json SIZES.json` writes `docs/explanation/performance.md` and
its charts. The files are what `python -m benchmarks --json` and `python -m benchmarks.sizes --json`
printed.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.sizes import BY_LEAVES, BY_VALUES
from benchmarks.threads import MODES, P99, RATE, THREADS

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "explanation" / "performance.md"
COLOURS: Final = ("#0b6e99", "#9aa5b1", "#c2571a", "#d9b38c")
SIGNS: Final = {"at most": "≤ {:g} x", "at least": "≥ {:g} x", "ms": "≤ {:g} ms"}
OVER: Final = {"over": "{:+.2f} ms", "over, µs": "{:+.2f} µs"}


def main() -> None:
    """Write the tables into the page, and the charts beside it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.performance", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("rows", type=Path, help="what `python -m benchmarks --json` printed")
    parser.add_argument("sizes", type=Path, help="what `python -m benchmarks.sizes --json` printed")
    options = parser.parse_args()
    rows, sizes = json.loads(options.rows.read_text()), json.loads(options.sizes.read_text())
    text = PAGE.read_text(encoding="utf-8")
    parts = {
        "machine": ", ".join(f"{key} {value}" for key, value in rows["machine"].items()) + ".",
        "rows": _rows(rows["rows"]),
        "values": _columns("values", sizes["values"]),
        "leaves": _columns("leaves", sizes["leaves"]),
        "threads": _threads(rows["samples"]),
    }
    for name, part in parts.items():
        text = _replaced(text, name, part)
    PAGE.write_text(text, encoding="utf-8")
    _chart("values", sizes["values"], BY_VALUES, "values of an event", "µs an event", log=True)
    _chart("leaves", sizes["leaves"], BY_LEAVES, "leaves", "µs an event")
    rates = {
        mode: {str(n): 1000 / median(rows["samples"][RATE.format(mode, n)]) for n in THREADS}
        for mode in MODES
    }
    _chart("threads", rates, MODES, "threads", "thousand events a second")


def _replaced(text: str, name: str, part: str) -> str:
    """Return the page with what stands between the marks of a part replaced."""
    marks = rf"(% begin {name}\n).*?(% end {name}\n)"
    whole = f"\n{part.rstrip()}\n\n"
    text, found = re.subn(marks, lambda match: match[1] + whole + match[2], text, flags=re.DOTALL)
    if found != 1:
        msg = f"{PAGE}: has no part between '% begin {name}' and '% end {name}'"
        raise SystemExit(msg)
    return text


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for row in rows:
        if row["ratio"] is None:
            continue
        kind, must = row["kind"], row["must"]
        limit = "" if must is None else SIGNS.get(kind, "≤ +{:g}").format(must)
        unit = OVER.get(kind, "{:.2f} ms" if kind == "ms" else "{:.2f} x")
        verdict = row["verdict"] if must is not None else ""
        ratio = unit.format(row["ratio"])
        lines.append((row["path"], row["reference"], ratio, limit, verdict))
    return _table(("path", "beside", "ratio", "must", ""), lines)


def _columns(what: str, columns: Mapping[str, Mapping[str, float]]) -> str:
    numbers = next(iter(columns.values()))
    lines = [
        (number, *(f"{column[number]:.2f}" for column in columns.values())) for number in numbers
    ]
    return _table((what, *columns), lines)


def _threads(samples: Mapping[str, Sequence[float]]) -> str:
    lines = []
    for count in THREADS:
        cells = [str(count)]
        for mode in MODES:
            rate = 1e6 / median(samples[RATE.format(mode, count)])
            p99 = median(samples[P99.format(mode, count)])
            cells += [f"{rate:,.0f}", f"{p99:.0f}"]
        lines.append(cells)
    head = ["threads"]
    for mode in MODES:
        head += [f"{mode}: events/s", "p99, µs"]
    return _table(head, lines)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _chart(
    name: str,
    columns: Mapping[str, Mapping[str, float]],
    order: Sequence[str],
    across: str,
    up: str,
    *,
    log: bool = False,
) -> None:
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": name, "font.size": 10})
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for each, colour in zip(order, COLOURS, strict=False):
        column = columns[each]
        axes.plot(list(map(int, column)), list(column.values()), "o-", color=colour, label=each)
    if log:
        axes.set_xscale("log")
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(PAGE.parent / f"performance-{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
