"""Draft typed events from events in logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from eventtracking_catalog.collecting import Collection
from eventtracking_catalog.exporting.python import module
from eventtracking_catalog.model import Catalogue
from eventtracking_catalog.sources.log import Log
from eventtracking_core.registry import EventType

__all__ = ["draft", "observe_logs"]


def observe_logs(
    logs: Iterable[Path], report: Callable[[Path, int], object] | None = None
) -> Catalogue:
    """Return the catalogue of logs.

    Args:
        logs: the files.
        report: called periodically with a file's path and the number of bytes read.

    Raises:
        UnreadableInputError: a compressed file is damaged.
        OSError: a file cannot be read.
    """
    into = Collection()
    for path in logs:
        Log(path, report).collect(into)
    return into.catalogue()


def draft(catalogue: Catalogue, names: str) -> str:
    """Return a module with a typed event for each observed name.

    Args:
        catalogue: the catalogue of the logs.
        names: the names of the logs, for the module's docstring.
    """
    records: list[EventType] = []
    for entry in catalogue.entries.values():
        if entry.observation is None:
            continue
        number = entry.timeline.total
        times = "once" if number == 1 else f"{number:,} times"
        about = f"Seen {times}; say when it is emitted."
        record = replace(entry.observation.inferred(), description=about, context_fields=())
        records.append(record)
    return module(records, f"Event types, drafted from {names}.", blanks=True)
