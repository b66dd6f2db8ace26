"""A node whose children run in workers, which build the same tree from the same configuration.

The process that emits runs the node's own processors and publishes the events. A worker routes
them below the same node of its own tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Final

from eventtracking_async_router.deaths import Deliveries
from eventtracking_async_router.leaf import RemoteLeaf, capture
from eventtracking_core.delivery.queued import QueuedEvent
from eventtracking_core.routing import AtomicCounter, Leaf, ProcessorNode, RoutingBackend
from eventtracking_core.routing.compiled import passes_wire

__all__ = ["PUBLISHER", "RemoteRouter", "remote_nodes"]

PUBLISHER: Final = "publish"
"""The name of the leaf that publishes events."""


class RemoteRouter(RoutingBackend):
    """Processors and a publishing leaf that run here, and children that run in workers.

    Args:
        path: the node's path in the tree.
        type_name: the type's name in the configuration.
        processors: the node's own.
        publisher: the leaf that publishes events.
        children: the backends that run in workers, behind `RemoteLeaf`s.
    """

    def __init__(
        self,
        path: str,
        type_name: str,
        *,
        processors: Iterable[ProcessorNode],
        publisher: Leaf,
        children: RoutingBackend,
    ) -> None:
        self.path = path
        self.type_name = type_name
        self.remote = children
        self.received = AtomicCounter()
        super().__init__()
        self.register_all({PUBLISHER: publisher}, processors)

    def leaves(self) -> list[Leaf]:
        """Return the leaf that publishes, then the leaves that run in workers."""
        return super().leaves() + self.remote.leaves()

    @property
    def parts(self) -> tuple[RoutingBackend, ...]:
        """This router, which publishes, and the one that runs in workers."""
        return (self, self.remote)

    def remote_leaves(self) -> Iterator[RemoteLeaf]:
        """Yield the leaves that this node's messages are for; a node below it has its own."""
        yield from _remote_leaves(self.remote)

    @cached_property
    def deliveries(self) -> Deliveries | None:
        """The deliveries of its messages in this process; None if no backend is below it."""
        leaf = next(self.remote_leaves(), None)
        if leaf is None:
            return None
        return Deliveries(leaf.directory / "messages", leaf.directory.parent)

    def forked(self) -> None:
        """Reset the counters in a forked child; leaves are reset on their own."""
        super().forked()
        self.received.reset()
        self.remote.forked()

    def route(self, items: Iterable[QueuedEvent]) -> dict[RemoteLeaf, list[QueuedEvent]]:
        """Route events below this node; return those that reached each leaf, in tree order.

        The bytes of an event that no processor could change are not made again.

        Raises:
            ClosedError: another tree has replaced this one.
        """
        send = passes_wire(self.remote.compile())
        with capture(self.remote_leaves()) as captured:
            for item in items:
                next(self.received.tick)
                send(item.event, item.wire)
        return {leaf: reached for leaf, reached in captured.items() if reached}

    def stats(self, entered: int) -> dict[str, Any]:
        """Return the counters of the node, and under `remote` those of its children.

        Both are this process's: the children's are zero unless it is a worker.
        """
        children = self.remote.stats(self.received.value)["backends"]
        return {**super().stats(entered), "type": self.type_name, "remote": children}


def remote_nodes(root: RoutingBackend) -> Iterator[RemoteRouter]:
    """Yield every node of a tree whose children run in workers, outer nodes first."""
    for child in root.children.values():
        if isinstance(child, RemoteRouter):
            yield child
            yield from remote_nodes(child.remote)
        elif isinstance(child, RoutingBackend):
            yield from remote_nodes(child)


def _remote_leaves(router: RoutingBackend) -> Iterator[RemoteLeaf]:
    for child in router.children.values():
        leaf = child.children[PUBLISHER] if isinstance(child, RemoteRouter) else child
        if isinstance(leaf, RemoteLeaf):
            yield leaf
        elif isinstance(leaf, RoutingBackend):
            yield from _remote_leaves(leaf)
