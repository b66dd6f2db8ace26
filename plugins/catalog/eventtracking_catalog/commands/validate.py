"""Hold the events of a log to their types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from json import dumps
from pathlib import Path
from typing import Final, NamedTuple

import click

from eventtracking_catalog.checking import Checker
from eventtracking_catalog.commands import options
from eventtracking_catalog.commands.progress import Report, report_progress
from eventtracking_core import Event
from eventtracking_core._text import counted, escaped, no_events
from eventtracking_core.events import clean_name
from eventtracking_core.logs import Rejected, entries
from eventtracking_core.registry import EventType
from eventtracking_core.validation.violations import Violation

__all__ = ["validate"]

MAX_KINDS: Final = 10_000
"""Maximum number of different violations; further ones are only counted."""


class _Key(NamedTuple):
    name: str
    code: str
    path: str
    message: str


@click.command()
@click.argument("logs", nargs=-1, required=True, type=options.LOG, metavar="LOG... | -")
@click.option(
    "--types",
    metavar="MODULE",
    help="A module that registers event types; else the records that the log itself has.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def validate(logs: tuple[Path, ...], types: str | None, *, as_json: bool) -> None:
    """List the differences between logs and the documentation of their event types.

    A difference is an event of an unregistered type, or a field that is undocumented, missing,
    of another type, or not one of its choices. Fields are named by their paths; values are
    never printed. Exits with 1 if there are differences.
    """
    report = _Report(_of_module(types) if types else None)
    with report_progress() as progress:
        for path in logs:
            report.read(path, progress)
    if not types and not report.records:
        message = "the log has no records of event types: name a module with --types"
        raise click.UsageError(message)
    if as_json:
        click.echo(dumps(report.to_dict(), indent=2))
    else:
        for line in report.lines():
            click.echo(line)
    if report.violations:
        raise click.exceptions.Exit(1)


def _of_module(module: str) -> dict[str, EventType]:
    from eventtracking_catalog.sources.code import event_types_of  # noqa: PLC0415

    return {record.name: record for record in event_types_of(module) if record.kind == "event"}


class _Report:
    """What was found, counted.

    Args:
        types: the event types by name; None to take those of the logs.
    """

    def __init__(self, types: dict[str, EventType] | None) -> None:
        self._has_types = types is not None
        self._types = types or {}
        self._by_id: dict[str, EventType] = {}
        self._checker = Checker()
        self._counts: Counter[_Key] = Counter()
        self._examples: dict[_Key, str] = {}
        self.records = 0
        self.events = 0
        self.rejected = 0
        self.violations = 0

    def read(self, path: Path, progress: Report | None) -> None:
        for number, entry in entries(path, progress):
            if isinstance(entry, Rejected):
                self.rejected += 1
            elif isinstance(entry, EventType):
                self._take(entry)
            else:
                self.events += 1
                for violation in self._checker.violations(entry, self._record_of(entry)):
                    self._count(entry["name"], violation, f"{path.name}:{number}")

    def _take(self, record: EventType) -> None:
        self.records += 1
        if not self._has_types:
            self._by_id[record.id] = record
            if record.kind == "event":
                self._types[record.name] = record

    def _record_of(self, event: Event) -> EventType | None:
        own = self._by_id.get(event.get("name_id", ""))
        return own or self._types.get(clean_name(event["name"]))

    def _count(self, name: str, violation: Violation, where: str) -> None:
        self.violations += 1
        key = _Key(name, *violation)
        if key in self._counts or len(self._counts) < MAX_KINDS:
            self._counts[key] += 1
            self._examples.setdefault(key, where)

    def lines(self) -> Iterator[str]:
        for name, keys in groupby(sorted(self._counts), lambda key: key.name):
            yield escaped(name)
            for key in keys:
                what = escaped(f"{key.path}: {key.message}" if key.path else key.message)
                where = escaped(self._examples[key])
                yield f"  {self._counts[key]:>7,}  {key.code:<13}  {what}  ({where})"
        listed = sum(self._counts.values())
        if listed < self.violations:
            yield f"{self.violations - listed:,} further violations"
        lines = f", {no_events(self.rejected)}" if self.rejected else ""
        yield f"{counted(self.violations, 'violation')} in {counted(self.events, 'event')}{lines}"

    def to_dict(self) -> dict[str, object]:
        return {
            "events": self.events,
            "rejected": self.rejected,
            "violations": self.violations,
            "found": [
                {**key._asdict(), "count": self._counts[key], "example": self._examples[key]}
                for key in sorted(self._counts)
            ],
        }
