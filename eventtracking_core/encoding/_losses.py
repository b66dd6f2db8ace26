"""Record which values had to change to be encoded: where, and why; never the value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from eventtracking_core.diagnostics import warn_of_event
from eventtracking_core.events import clean_name

__all__ = ["CODE", "report_losses", "reported"]

CODE: Final = "not_serializable"
MAX_LOSSES: Final = 20
"""Maximum number of losses recorded for one event."""

reported: Final[set[tuple[str, str]]] = set()
"""The names of events, and fields, of which a tracker warns itself."""

_logged: Final[set[tuple[str, str, str | None]]] = set()


def report_losses(name: str, losses: Iterable[tuple[str, str]]) -> None:
    """Log fields of an event that are not stored as they were, once for each.

    Args:
        name: of the event.
        losses: path and problem of each.
    """
    for path, problem in list(losses)[:MAX_LOSSES]:
        field = clean_name(path.removeprefix("data."))
        if (name, field) not in reported:
            warn_of_event(CODE, name, field, problem, _logged)
