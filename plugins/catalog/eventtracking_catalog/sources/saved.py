"""A catalogue that was saved as JSON: what a site has beside its pages, for later comparison."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from eventtracking_catalog.collecting import Collection
from eventtracking_catalog.model import Catalogue
from eventtracking_core.registry import EventType

__all__ = ["FILE_NAME", "Saved", "is_saved", "saved"]

FILE_NAME: Final = "catalog.json"
_FORMAT: Final = "eventtracking-catalog/1"
_HEAD: Final = 64


def saved(catalogue: Catalogue) -> dict[str, Any]:
    """Return a catalogue's records as JSON holds them; what was only seen is `inferred`."""
    return {
        "format": _FORMAT,
        "event_types": [record.to_dict() for record in catalogue.records.values()],
        "inferred": [
            entry.current.to_dict()
            for entry in catalogue.entries.values()
            if not entry.documented and entry.observation
        ],
    }


def is_saved(path: Path) -> bool:
    """Return whether a file is such a catalogue."""
    with path.open("rb") as file:
        return _FORMAT.encode() in file.read(_HEAD)


class Saved:
    """A saved catalogue.

    Args:
        path: of its file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.title = str(path.parent.name or path)

    def collect(self, into: Collection) -> None:
        """Read it.

        Raises:
            ClickException: it is damaged.
        """
        try:
            document = json.loads(self._path.read_bytes())
            for record in (*document["event_types"], *document["inferred"]):
                into.record(EventType.from_dict(record))
        except (KeyError, TypeError, ValueError) as error:
            message = f"{self._path}: the saved catalogue is damaged: build it again"
            raise click.ClickException(message) from error

    def counts(self) -> Mapping[str, int]:
        """Return nothing: it knows of no events."""
        return {}
