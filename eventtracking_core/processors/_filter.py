"""The base class of filters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["Filter"]


class Filter(ABC):
    """Drops the events that do not pass; also those on which it fails."""

    mutates: ClassVar[bool] = False
    on_error: ClassVar[str] = "drop"

    @abstractmethod
    def __call__(self, event: Event, /) -> None:
        """Let an event pass.

        Raises:
            EventEmissionExit: it does not pass.
        """
