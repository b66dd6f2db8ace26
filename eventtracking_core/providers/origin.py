"""Where an event was emitted: on the server, as opposed to a client such as a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from eventtracking_core.contexts import Context

__all__ = ["Origin"]


class Origin:
    """Puts `origin` under every event's contexts; an entered context may say otherwise.

    Args:
        origin: where the events of this process come from.
    """

    is_constant: ClassVar[bool] = True

    def __init__(self, origin: str = "server") -> None:
        self._values = {"origin": origin}

    def __call__(self) -> Context:
        """Return the value."""
        return self._values
