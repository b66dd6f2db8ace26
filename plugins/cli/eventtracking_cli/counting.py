"""Print numbers of events: by the values of a field, over time, or both."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Unpack

import click

from eventtracking_cli import parameters
from eventtracking_cli.charts import bars, columns, sparklines
from eventtracking_cli.listing import full_time
from eventtracking_cli.rejections import check_lines
from eventtracking_cli.terminal import console, print_json
from eventtracking_core.reading import (
    EventReader,
    Filters,
    Period,
    field_reader,
    period_start,
    value_text,
)

__all__ = ["print_periods", "print_values", "print_values_per"]


def print_values(
    reader: EventReader,
    by: str,
    limit: int | None,
    *,
    as_json: bool,
    **filters: Unpack[Filters],
) -> None:
    """Print the values of a field and the number of events with each, the most frequent first."""
    rows = reader.count_by(parameters.field(by, "--by"), **filters)
    check_lines(reader)
    shown = rows[:limit]
    if as_json:
        print_json([{by: value, "count": number} for value, number in shown])
    else:
        console().print(bars(shown))
    _report_hidden(len(shown), len(rows))


def print_values_per(
    reader: EventReader,
    by: str,
    period: Period,
    limit: int | None,
    *,
    as_json: bool,
    **filters: Unpack[Filters],
) -> None:
    """Print the values of a field, each with its number of events over time."""
    value = field_reader(parameters.field(by, "--by"))
    counted: defaultdict[str | None, Counter[datetime]] = defaultdict(Counter)
    for event in reader.query(**filters):
        counted[value_text(value(event))][period_start(event["timestamp"], period)] += 1
    check_lines(reader)
    rows = sorted(counted.items(), key=lambda row: (-row[1].total(), row[0] or ""))
    shown = rows[:limit]
    if as_json:
        print_json(
            [
                {
                    by: value,
                    "count": times.total(),
                    period: {full_time(start): times[start] for start in sorted(times)},
                }
                for value, times in shown
            ]
        )
    else:
        console().print(sparklines(shown, period))
    _report_hidden(len(shown), len(rows))


def print_periods(
    reader: EventReader, period: Period, *, as_json: bool, **filters: Unpack[Filters]
) -> None:
    """Print the periods that have events, and how many."""
    rows = reader.count_per(period, **filters)
    check_lines(reader)
    if as_json:
        print_json([{period: full_time(start), "count": number} for start, number in rows])
    else:
        console().print(columns(rows, period))


def _report_hidden(shown: int, total: int) -> None:
    if shown < total:
        click.echo(f"{shown:,} of {total:,} values shown; --limit 0 shows all", err=True)
