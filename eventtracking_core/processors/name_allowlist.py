"""Let the listed events through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventtracking_core.errors import EventEmissionExit, require_lists
from eventtracking_core.processors._filter import Filter

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["NameAllowlist"]


class NameAllowlist(Filter):
    """Let the events through whose names are listed, and drop the others.

    Args:
        names: the names, exactly.
    """

    def __init__(self, names: list[str]) -> None:
        require_lists(names=names)
        self._names = frozenset(names)

    def __call__(self, event: Event, /) -> None:
        """Let the event pass if its name is listed."""
        if event["name"] not in self._names:
            raise EventEmissionExit
