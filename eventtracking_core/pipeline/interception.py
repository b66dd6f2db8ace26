"""Hooks of tests in every pipeline: they see events before the tree, or instead of backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from eventtracking_core.events import Event
    from eventtracking_core.routing import RoutingBackend
    from eventtracking_core.routing.composite import Owner

__all__ = ["Interceptor", "Send", "compile_tree", "interceptors", "is_isolated", "observers"]

Send = Callable[["Event"], object]

observers: Final[list[Callable[[Event], object]]] = []
"""Called with each event before it is routed, by pipelines compiled since: for tests."""


class Interceptor(Protocol):
    """Takes the events of a tracker between the root's processors and its backends: for tests."""

    @property
    def passes(self) -> bool:
        """Whether the events go on to the backends."""

    def wants(self, owner: Owner | None) -> bool:
        """Return whether to take the events of a tracker."""

    def take(self, event: Event) -> None:
        """Take an event."""


interceptors: Final[list[Interceptor]] = []
"""Used by every pipeline compiled since."""


def is_isolated(owner: Owner | None) -> bool:
    """Return whether a test keeps the events of a tracker from its backends."""
    return any(each.wants(owner) and not each.passes for each in interceptors)


def compile_tree(root: RoutingBackend, owner: Owner | None) -> Send:
    """Return the tree of a tracker as a function that calls observers and interceptors first."""
    send = _intercepted(root, owner) if interceptors else root.compile()
    return _observed(send) if observers else send


def _intercepted(root: RoutingBackend, owner: Owner | None) -> Send:
    targets = tuple(root.targets())

    def intercept(event: Event) -> None:
        takers = [each for each in interceptors if each.wants(owner)]
        for taker in takers:
            taker.take(event)
        if all(taker.passes for taker in takers):
            for send in targets:
                send(event)

    return root.lead_to((intercept,))


def _observed(send: Send) -> Send:
    def tell_and_send(event: Event) -> None:
        for tell in observers:
            tell(event)
        send(event)

    return tell_and_send
