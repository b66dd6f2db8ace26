"""What the filters have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from eventtracking_core.errors import EventEmissionExit

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Filter"]


class Filter(ABC):
    """Drops the events that do not pass; also those on which it fails."""

    mutates: ClassVar[bool] = False
    on_error: ClassVar[str] = "drop"

    @abstractmethod
    def passes(self, event: Event) -> bool:
        """Return whether an event goes on."""

    def __call__(self, event: Event, /) -> None:
        if not self.passes(event):
            raise EventEmissionExit
