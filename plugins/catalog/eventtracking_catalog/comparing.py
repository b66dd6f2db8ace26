"""Compare two catalogues."""

from __future__ import annotations

from eventtracking_catalog.differences import Difference, differences
from eventtracking_catalog.model import Catalogue
from eventtracking_core.registry import EventType

__all__ = ["compare"]


def compare(old: Catalogue, new: Catalogue) -> dict[str, list[Difference]]:
    """Return the differences, by the names of changed events and contexts."""
    before, after = _current(old), _current(new)
    by_name: dict[str, list[Difference]] = {}
    for name in sorted({*before, *after}):
        if name not in after:
            by_name[name] = [Difference("", "removed", breaking=True)]
        elif name not in before:
            by_name[name] = [Difference("", "added")]
        elif changes := differences(before[name], after[name]):
            by_name[name] = changes
    return by_name


def _current(catalogue: Catalogue) -> dict[str, EventType]:
    events = {name: entry.current for name, entry in catalogue.entries.items()}
    contexts = {f"context {name}": entry.current for name, entry in catalogue.contexts.items()}
    return events | contexts
