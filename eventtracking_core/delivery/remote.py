"""A node whose children run in another process, which builds the same tree and is handed batches.

The process that emits runs the node's own processors, and hands events to whatever carries them.
The process that delivers takes them below the same node of its own tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from eventtracking_core.delivery.remote_leaf import RemoteLeaf, taken
from eventtracking_core.routing import Counter, Leaf, RoutingBackend

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eventtracking_core.events import Event
    from eventtracking_core.routing import ProcessorNode

__all__ = ["PUBLISHER", "Carrier", "RemoteComponent", "RemoteRouter", "remote_nodes"]

PUBLISHER: Final = "publish"
"""The name of the leaf that hands events on to where the children run."""


class Carrier(Protocol):
    """A backend that brings batches to wherever a node's children run."""

    def send_batch(self, events: Sequence[Event], /, *, timeout: float) -> None:
        """Hand on what is for all children."""

    def send_to(self, leaf: str, events: Sequence[Event], /, *, timeout: float) -> None:
        """Hand on what is for one leaf alone, by its path, past all processors."""

    def bind(self, router: RemoteRouter, /) -> None:
        """Take the node, for a carrier that delivers to its children in this very process."""


class RemoteComponent(Protocol):
    """A backend's type whose children run elsewhere; a configuration makes a node of it."""

    runs_children_elsewhere: ClassVar[bool]

    def carrier(self, tracker: str, path: str) -> Carrier:
        """Return what brings events to the children of a node.

        Args:
            tracker: the name under which a process that delivers finds the same tree.
            path: the node's, in that tree.
        """


class RemoteRouter(RoutingBackend):
    """Processors that run here, the leaf that hands events on, and the children that run elsewhere.

    Args:
        path: the node's path in the tree.
        type_name: what the configuration calls it.
        steps: its processors.
        publisher: hands events on.
        children: what runs elsewhere; all its leaves are `RemoteLeaf`s.
    """

    def __init__(
        self,
        path: str,
        type_name: str | None,
        *,
        steps: Iterable[ProcessorNode],
        publisher: Leaf,
        children: RoutingBackend,
    ) -> None:
        self.path = path
        self.type_name = type_name or "router"
        self.remote = children
        self.received = Counter()
        super().__init__()
        for step in steps:
            self.register_processor(step)
        self.register_backend(PUBLISHER, publisher)
        carrier: Any = publisher.backend
        for leaf in _below(children):
            leaf.hand_on = _to_one(carrier, leaf)
        carrier.bind(self)

    def leaves(self) -> Iterator[Leaf]:
        """Yield the leaf that hands events on, then those that run elsewhere."""
        yield from super().leaves()
        yield from self.remote.leaves()

    def forked(self) -> None:
        """Count from zero in a forked child; the leaves see to themselves."""
        super().forked()
        self.received.restart()
        self.remote.forked()

    def take(self, events: Iterable[Event]) -> dict[RemoteLeaf, list[Event]]:
        """Route events below this node; return what reached which leaf, in the tree's order.

        Raises:
            ClosedError: another tree took this one's place.
        """
        found: dict[RemoteLeaf, list[Event]] = {leaf: [] for leaf in _below(self.remote)}
        route = self.remote.compile()
        token = taken.set(found)
        try:
            for event in events:
                next(self.received.tick)
                route(event)
        finally:
            taken.reset(token)
        return {leaf: reached for leaf, reached in found.items() if reached}

    def stats(self, entered: int) -> dict[str, Any]:
        """Return the counters of what runs here, and under `remote` those of the children.

        Those are the counters of this process, too: zero, unless it delivers.
        """
        children = self.remote.stats(self.received.value)["backends"]
        return {**super().stats(entered), "type": self.type_name, "remote": children}


def remote_nodes(root: RoutingBackend) -> Iterator[RemoteRouter]:
    """Yield every node of a tree whose children run elsewhere, the outer ones first."""
    for child in root.children.values():
        if isinstance(child, RemoteRouter):
            yield child
            yield from remote_nodes(child.remote)
        elif isinstance(child, RoutingBackend):
            yield from remote_nodes(child)


def _below(router: RoutingBackend) -> Iterator[RemoteLeaf]:
    """Yield the leaves that a node's own messages are for; a node below it has others."""
    for child in router.children.values():
        if isinstance(child, RemoteLeaf):
            yield child
        elif isinstance(child, RemoteRouter):
            publisher = child.children[PUBLISHER]
            if isinstance(publisher, RemoteLeaf):
                yield publisher
        elif isinstance(child, RoutingBackend):
            yield from _below(child)


def _to_one(carrier: Any, leaf: RemoteLeaf) -> Callable[[Event], None]:
    timeout = leaf.options.export_timeout
    return lambda event: carrier.send_to(leaf.path, [event], timeout=timeout)
