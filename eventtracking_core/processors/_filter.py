"""What the filters have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from eventtracking_core.errors import EventEmissionExit

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Filter"]


class Filter:
    """Drops the events that do not pass; also those on which it fails."""

    mutates: ClassVar[bool] = False
    on_error: ClassVar[str] = "drop"

    def passes(self, event: Event) -> bool:
        """Tell whether an event goes on."""
        raise NotImplementedError

    def __call__(self, event: Event, /) -> None:
        if not self.passes(event):
            raise EventEmissionExit
