"""Keep the events whose names are listed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eventtracking.processors.exceptions import EventEmissionExit

__all__ = ["NameWhitelistProcessor"]


class NameWhitelistProcessor:
    """Lets the events with listed names through.

    Args:
        whitelist: the names.

    Raises:
        TypeError: it is not a collection of names.
    """

    def __init__(self, whitelist: Iterable[str] | None = None, **_options: object) -> None:
        if whitelist is None or isinstance(whitelist, str) or not isinstance(whitelist, Iterable):
            raise TypeError(
                "The NameWhitelistProcessor must be passed a collection of allowed names using the"
                ' "whitelist" parameter'
            )
        self.whitelist = frozenset(whitelist)

    def __call__(self, event: Any) -> Any:
        """Return the event; of a list of events, those with listed names.

        Raises:
            EventEmissionExit: its name is not listed.
        """
        if isinstance(event, list):
            return [each for each in event if each["name"] in self.whitelist]
        if event["name"] not in self.whitelist:
            raise EventEmissionExit
        return event
