"""The tables that are printed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import isnan
from statistics import median, quantiles

from benchmarks.rounds import Samples
from benchmarks.rows import Result

__all__ = ["contestants_table", "rows_table", "table"]

COLUMNS = (
    "row",
    "reference",
    "ours µs",
    "reference µs",
    "ratio",
    "half of the rounds",
    "must",
    "reach",
    "verdict",
)
SIGNS = {
    "at most": ("≤ ", "x"),
    "at least": ("≥ ", "x"),
    "over": ("≤ +", " ms"),
    "over, µs": ("≤ +", " µs"),
    "ms": ("≤ ", " ms"),
}


def rows_table(measured: Sequence[Result]) -> str:
    """Return what was asked for, and what was found."""
    lines = [
        (
            result.row.path,
            result.row.reference,
            _figure(result.ours),
            _figure(result.reference),
            _ratio(result, result.ratio),
            _spread(result),
            _limit(result, result.row.must),
            _limit(result, result.row.reach),
            result.verdict,
        )
        for result in measured
    ]
    return table([COLUMNS, *lines], range(2, 8))


def contestants_table(samples: Samples, statements: Mapping[str, str]) -> str:
    """Return the median of every contestant, and between which values half of its rounds lie."""
    lines = [
        (
            name,
            f"{median(times):.2f}",
            _quartiles(times),
            statements.get(name, ""),
        )
        for name, times in samples.items()
    ]
    return table([("contestant", "median", "quartiles", "statement"), *lines], range(1, 3))


def _quartiles(times: Sequence[float]) -> str:
    if len(times) == 1:
        return ""
    return " - ".join(f"{quartile:.2f}" for quartile in quantiles(times, method="inclusive")[::2])


def _figure(value: float) -> str:
    return "" if isnan(value) else f"{value:.2f}"


def _spread(result: Result) -> str:
    if isnan(result.spread[0]):
        return ""
    return " - ".join(_ratio(result, ratio) for ratio in result.spread)


def _ratio(result: Result, ratio: float) -> str:
    if isnan(ratio):
        return ""
    if result.row.kind == "ms":
        return f"{ratio:.2f} ms"
    if result.row.kind in {"over", "over, µs"}:
        return f"{ratio:+.2f}{SIGNS[result.row.kind][1]}"
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:.1f}x"  # noqa: PLR2004


def _limit(result: Result, limit: float | None) -> str:
    if limit is None:
        return ""
    sign, unit = SIGNS[result.row.kind]
    return f"{sign}{limit:g}{unit}"


def table(lines: Sequence[Sequence[str]], figures: Collection[int]) -> str:
    """Return the lines in columns; those of figures are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [
        [
            cell.rjust(width) if number in figures else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    head, *body = ["  ".join(cells).rstrip() for cells in padded]
    return "\n".join([head, "  ".join("-" * width for width in widths), *body])
