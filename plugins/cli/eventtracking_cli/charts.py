"""Charts of characters, no wider than 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from eventtracking_cli.terminal import plain
from eventtracking_core.reading import Period

__all__ = ["bars", "columns", "sparklines"]

MAX_WIDTH: Final = 80
HEIGHT: Final = 8
MAX_COLUMN: Final = 6
_EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
_STEPS: Final[Mapping[Period, timedelta]] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_SCALE_WIDTH: Final = 8
_LABEL_WIDTH: Final = 44


class bars:  # noqa: N801  used as a function: what rich prints has to be an object
    """A horizontal bar for each label.

    Args:
        rows: labels and their numbers; None is the label of what has none.
    """

    def __init__(self, rows: Sequence[tuple[str | None, int]]) -> None:
        self._rows = [(_label(value), number) for value, number in rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self._rows:
            yield Text("no events")
            return
        peak = max(number for _, number in self._rows)
        label_width = max(len(label) for label, _ in self._rows)
        number_width = max(len(f"{number:,}") for _, number in self._rows)
        room = min(MAX_WIDTH, options.max_width) - label_width - number_width - 4
        block = "#" if options.ascii_only else "█"
        for label, number in self._rows:
            line = Text(no_wrap=True)
            line.append(f"{label:<{label_width}}  {number:>{number_width},}  ")
            line.append(block * max(1, round(room * number / peak)), "cyan")
            yield line


class columns:  # noqa: N801  used as a function: what rich prints has to be an object
    """Events over time, a column a period, or several periods where they would not fit.

    Args:
        rows: periods that have events and how many, in their order.
        period: what a row is; the scale says how many events there were in one of them.
        height: lines of the chart.
    """

    def __init__(
        self,
        rows: Sequence[tuple[datetime, int]],
        period: Period = "minute",
        height: int = HEIGHT,
    ) -> None:
        self._rows = rows
        self._period = period
        self._height = height
        self._step = _STEPS[period]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self._rows:
            yield Text("no events")
            return
        room = max(20, min(MAX_WIDTH, options.max_width) - _SCALE_WIDTH - 2)
        rates = self._rates(room)
        peak = max(rates)
        wide = max(1, min(MAX_COLUMN, room // len(rates)))
        rates = [rate for rate in rates for _ in range(wide)]
        levels = [round(rate / peak * self._height * 8) or (1 if rate else 0) for rate in rates]
        for row in reversed(range(self._height)):
            scale = f"{peak:,.0f}" if row == self._height - 1 else "0" if row == 0 else ""
            cells = [min(8, max(0, level - row * 8)) for level in levels]
            shown = ["#" if cell >= 4 else " " for cell in cells]  # noqa: PLR2004  half a block
            if not options.ascii_only:
                shown = [_EIGHTHS[cell] for cell in cells]
            line = Text(f"{scale:>{_SCALE_WIDTH}} ", no_wrap=True)
            yield line.append("".join(shown), "cyan")
        start, end = self._rows[0][0], self._rows[-1][0]
        form = "%H:%M" if end - start < timedelta(days=1) else "%Y-%m-%d %H:%M"
        form = "%Y-%m-%d" if self._step >= timedelta(days=1) else form
        times = f"{start:{form}}", f"{end:{form}} UTC, by {self._period}"
        gap = " " * max(2, len(rates) - len(times[0]) - len(times[1]))
        yield Text(f"{'':>{_SCALE_WIDTH}} {gap.join(times)}", "dim", no_wrap=True)

    def _rates(self, room: int) -> list[float]:
        start, end = self._rows[0][0], self._rows[-1][0]
        total = (end - start) // self._step + 1
        step = ceil(total / room)
        sums = [0] * ceil(total / step)
        for begun, number in self._rows:
            sums[(begun - start) // self._step // step] += number
        return [number / step for number in sums]


class sparklines:  # noqa: N801  used as a function: what rich prints has to be an object
    """A line for each label: its number, and its events over time, each scaled to its own peak.

    Args:
        rows: labels with their numbers by the start of a period.
        period: how long the periods are.
    """

    def __init__(
        self, rows: Sequence[tuple[str | None, Mapping[datetime, int]]], period: Period
    ) -> None:
        self._rows = [(_label(value), times) for value, times in rows]
        self._step = _STEPS[period]
        self._period = period

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        starts = [start for _, times in self._rows for start in times]
        if not starts:
            yield Text("no events")
            return
        first, periods = min(starts), (max(starts) - min(starts)) // self._step + 1
        label_width = max(len(label) for label, _ in self._rows)
        number_width = max(len(f"{sum(times.values()):,}") for _, times in self._rows)
        room = max(8, min(MAX_WIDTH, options.max_width) - label_width - number_width - 4)
        per_cell = ceil(periods / room)
        for label, times in self._rows:
            cells = [0] * ceil(periods / per_cell)
            for start, number in times.items():
                cells[(start - first) // self._step // per_cell] += number
            line = Text(no_wrap=True)
            line.append(f"{label:<{label_width}}  {sum(times.values()):>{number_width},}  ")
            yield line.append(_sparkline(cells, ascii_only=options.ascii_only), "cyan")
        step = self._period if per_cell == 1 else f"{per_cell} {self._period}s"
        text = f"from {first:%Y-%m-%d %H:%M} UTC, by {step}"
        yield Text(f"{'':>{label_width + number_width + 4}}{text}", "dim", no_wrap=True)


def _sparkline(cells: Sequence[int], *, ascii_only: bool) -> str:
    marks, peak = " .:#" if ascii_only else _EIGHTHS, max(cells)
    return "".join(marks[ceil(cell / peak * (len(marks) - 1))] for cell in cells)


def _label(value: str | None) -> str:
    if value is None:
        return "-"
    label = plain(value)
    return label if len(label) <= _LABEL_WIDTH else f"{label[: _LABEL_WIDTH - 1]}…"
