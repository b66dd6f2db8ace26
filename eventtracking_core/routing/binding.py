"""Pass a tracker's event types to the processors that ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from eventtracking_core.routing.leaf import Leaf
from eventtracking_core.routing.router import RoutingBackend

if TYPE_CHECKING:
    from eventtracking_core.components import Processor
    from eventtracking_core.registry import Registry

__all__ = ["Owner", "bind"]


class Owner(Protocol):
    """An object with event types: a tracker."""

    @property
    def event_types(self) -> Registry:
        """The event types, created on first use."""


def bind(router: RoutingBackend, owner: Owner, before: tuple[Processor, ...] = ()) -> None:
    """Pass event types to every processor of a tree that has `bind_event_types`.

    Args:
        router: the tree.
        owner: has the event types.
        before: the processors in front of the router that drop an event when they fail.
    """
    for part in router.parts:
        for step in part.steps:
            _bind_component(step.processor, owner, before)
            if step.on_error == "drop":
                before = (*before, step.processor)
        for child in part.children.values():
            below = child.backend if isinstance(child, Leaf) else child
            if isinstance(below, RoutingBackend):
                bind(below, owner, before)
            else:
                _bind_component(below, owner, before)


def _bind_component(component: Any, owner: Owner, before: tuple[Processor, ...]) -> None:
    take = getattr(component, "bind_event_types", None)
    if callable(take):
        take(owner.event_types, before)
