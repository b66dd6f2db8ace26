"""Deliver nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["NullBackend"]


class NullBackend:
    """Accepts every event and keeps none: to measure, or to switch a branch off."""

    is_read_only: ClassVar[bool] = True

    def send(self, event: Event) -> None:
        """Do nothing."""
