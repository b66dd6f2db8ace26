"""What a configuration amounts to at run time: one object, swapped in one assignment."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.diagnostics import describe, report
from eventtracking_core.routing import Counter, RoutingBackend

if TYPE_CHECKING:
    from eventtracking_core.contexts import ContextProvider
    from eventtracking_core.events import Event
    from eventtracking_core.registry import MetadataStore

__all__ = ["SHUTDOWN_TIMEOUT", "Tree", "observers"]

SHUTDOWN_TIMEOUT: Final = 5.0
"""Seconds."""

observers: Final[list[Callable[[Event], object]]] = []
"""Who is told of every event, of every tree compiled since, before it is routed: for tests."""


class Tree:
    """What `emit` needs of a configuration, swapped in one assignment."""

    def __init__(
        self,
        root: RoutingBackend,
        providers: Iterable[ContextProvider] = (),
        shutdown_timeout: float = SHUTDOWN_TIMEOUT,
        metadata: MetadataStore | None = None,
    ) -> None:
        self.root = root
        self.providers = tuple(providers)
        self.shutdown_timeout = shutdown_timeout
        self.metadata = metadata
        self.emitted_count = Counter()
        self.emitted = self.emitted_count.tick
        self.changed()
        root.watch(self)

    def changed(self) -> None:
        """Compile anew, after a registration. A tree without backends sends nowhere."""
        self.send = self.root.compile() if self.root.children else None
        if observers:
            self.send = _observed(self.send)

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
                    extra={"provider": type(provider).__name__, "error": type(error).__name__},
                )
        values.update(entered)
        return values


def _observed(send: Callable[[Event], object] | None) -> Callable[[Event], object]:
    def tell_and_send(event: Event) -> None:
        for tell in observers:
            tell(event)
        if send is not None:
            send(event)

    return tell_and_send
