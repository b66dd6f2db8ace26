"""What a configuration amounts to at run time: one object, swapped in one assignment."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from eventtracking_core.diagnostics import describe, report
from eventtracking_core.routing import Counter, RoutingBackend

if TYPE_CHECKING:
    from eventtracking_core.contexts import ContextProvider

__all__ = ["NO_TELEMETRY", "SHUTDOWN_TIMEOUT", "Telemetry", "Tree"]

SHUTDOWN_TIMEOUT: Final = 5.0
"""Seconds."""


class Telemetry(NamedTuple):
    """What is told of the framework itself, through OpenTelemetry.

    Args:
        metrics: publish the counters as metrics.
        spans: make a span of each delivery of a batch, linked to the spans that emitted.
    """

    metrics: bool = True
    spans: bool = False


NO_TELEMETRY: Final = Telemetry(metrics=False, spans=False)


class Tree:
    """What `emit` needs of a configuration, swapped in one assignment."""

    def __init__(
        self,
        root: RoutingBackend,
        providers: Iterable[ContextProvider] = (),
        shutdown_timeout: float = SHUTDOWN_TIMEOUT,
        telemetry: Telemetry = NO_TELEMETRY,
    ) -> None:
        self.root = root
        self.providers = tuple(providers)
        self.shutdown_timeout = shutdown_timeout
        self.telemetry = telemetry
        self.emitted_count = Counter()
        self.emitted = self.emitted_count.tick
        self.changed()
        root.watch(self)

    def changed(self) -> None:
        """Compile anew, after a registration. A tree without backends sends nowhere."""
        self.send = self.root.compile() if self.root.children else None

    def context(self, entered: dict[str, Any]) -> dict[str, Any]:
        """Return what the providers say, with what was entered on top of it."""
        values: dict[str, Any] = {}
        for provider in self.providers:
            try:
                values.update(provider())
            except Exception as error:  # noqa: BLE001  the event matters more than its context
                report(
                    logging.ERROR,
                    (id(provider), type(error)),
                    "context provider %s failed: %s",
                    type(provider).__name__,
                    describe(error),
                )
        values.update(entered)
        return values
