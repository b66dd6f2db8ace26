"""Deliver nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["NullBackend"]


class NullBackend:
    """Accepts every event and keeps none: to measure, or to switch a branch off."""

    def send(self, event: Event) -> None:
        """Do nothing."""
