"""Where an event was emitted: on the server, as opposed to a client such as a browser."""

from __future__ import annotations

from typing import ClassVar

from eventtracking_core.providers.static import Static

__all__ = ["Origin"]


class Origin(Static):
    """Puts `origin` under every event's contexts; an entered context may say otherwise.

    Args:
        origin: where the events of this process come from.
    """

    is_constant: ClassVar[bool] = True

    def __init__(self, origin: str = "server") -> None:
        super().__init__({"origin": origin})
