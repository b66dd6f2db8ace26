"""Warn of what is wrong with events: log each problem once, count it every time."""

from __future__ import annotations

from typing import Final

from eventtracking_core.diagnostics import warn_of_event
from eventtracking_core.encoding._losses import CODE, reported
from eventtracking_core.errors import InvalidEventError
from eventtracking_core.events import clean_name
from eventtracking_core.routing import AtomicCounter

__all__ = ["MAX_NAMES", "EventWarnings"]

MAX_NAMES: Final = 10_000
"""Names, and problems, that are remembered: applications have few."""


class EventWarnings:
    """The warnings of one tracker.

    Args:
        strict: raise what would be a warning.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._logged: set[tuple[str, str, str | None]] = set()
        self._counters: dict[str, AtomicCounter] = {}

    def warn(self, code: str, name: str, message: str, field: str | None = None) -> None:
        """Count a problem, and log it the first time that an event of the name has it.

        Args:
            code: the kind of problem.
            name: the event's name.
            message: what is wrong, without any value.
            field: the path of the field that is wrong.

        Raises:
            InvalidEventError: the tracker is strict.
        """
        if field is not None:
            field = clean_name(field)
            if code == CODE and len(reported) < MAX_NAMES:
                reported.add((name, field))
        if self._strict:
            raise InvalidEventError(": ".join([name, *([field] if field else []), message]))
        self._counters.setdefault(code, AtomicCounter()).add()
        warn_of_event(code, name, field, message, self._logged)

    def counts(self) -> dict[str, int]:
        """Return the number of warnings of each code."""
        return {code: counter.value for code, counter in self._counters.copy().items()}
