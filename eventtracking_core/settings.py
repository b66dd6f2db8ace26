"""Settings of a pipeline: its policies, its telemetry, and how long shutting down may take."""

from __future__ import annotations

import os
from typing import Final, Literal, NamedTuple

from eventtracking_core.units import ByteSize

__all__ = [
    "DEFAULT",
    "DEFAULT_TELEMETRY",
    "NO_TELEMETRY",
    "SHUTDOWN_TIMEOUT",
    "Invalid",
    "Policies",
    "Telemetry",
    "Unregistered",
    "switched",
]

SHUTDOWN_TIMEOUT: Final = 5.0
"""Seconds that the end may take, where a configuration does not say otherwise."""

_ON: Final = frozenset({"1", "true", "yes", "on"})
_OFF: Final = frozenset({"0", "false", "no", "off"})

Unregistered = Literal["allow", "warn", "reject"]
Invalid = Literal["allow", "warn", "dead_letter"]


class Policies:
    """The policies for events that are unregistered, invalid or large; by default, none is lost.

    Args:
        unregistered: an event whose type is not registered: `allow` it; `warn` of it, once any
            type is registered; or `reject` it.
        invalid: an event that is not as its type says: `allow` it; `warn` of it; or put it into
            the `dead_letter`s of the backends that have some, the others drop it.
        max_event_size: bytes above which to warn of an event, as estimated.

    Raises:
        ValueError: the size is less than one byte.
    """

    __slots__ = ("invalid", "max_event_size", "unregistered")

    def __init__(
        self,
        unregistered: Unregistered = "warn",
        invalid: Invalid = "warn",
        max_event_size: ByteSize = 64 * 1024,
    ) -> None:
        if max_event_size < 1:
            raise ValueError("max_event_size must be at least 1 byte")
        self.unregistered = unregistered
        self.invalid = invalid
        self.max_event_size = max_event_size


DEFAULT: Final = Policies()


class Telemetry(NamedTuple):
    """Metrics and spans of the framework itself, through OpenTelemetry.

    Args:
        metrics: publish the counters as metrics.
        spans: make a span of each delivery of a batch, linked to the spans that emitted.
    """

    metrics: bool = True
    spans: bool = False


DEFAULT_TELEMETRY: Final = Telemetry()
NO_TELEMETRY: Final = Telemetry(metrics=False, spans=False)


def switched(variable: str) -> bool | None:
    """Return whether a variable of the environment is on or off; None if it is neither."""
    value = os.environ.get(variable, "").strip().lower()
    return value in _ON if value in _ON | _OFF else None
