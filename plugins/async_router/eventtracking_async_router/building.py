"""Build the node of an `async_router`, and the leaves below it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from eventtracking_async_router.leaf import RemoteLeaf
from eventtracking_async_router.publisher import Publisher
from eventtracking_async_router.router import PUBLISHER, RemoteRouter
from eventtracking_core.components import Backend, BatchBackend
from eventtracking_core.delivery import DeliveryOptions
from eventtracking_core.routing import CompositeParts, LeafPlace

__all__ = ["build_leaf", "build_node"]

MAX_ELAPSED_TIME: Final = 86_400.0
"""Seconds of retries, unless configured: pending events take room in the broker."""


def build_leaf(
    backend: Backend | BatchBackend, place: LeafPlace, delivery: Mapping[str, Any]
) -> RemoteLeaf:
    """Return the leaf for one backend below a node.

    Raises:
        ValueError: it can't have these delivery options.
    """
    options = DeliveryOptions(**{"max_elapsed_time": MAX_ELAPSED_TIME, **delivery})
    if "spool" in {options.mode, options.when_full}:
        raise ValueError("pending events of this backend are in the broker: it cannot have a spool")
    return RemoteLeaf(backend, place, options)


def build_node(
    new_publisher: Callable[[str, str], Publisher], parts: CompositeParts
) -> RemoteRouter:
    """Return a node: its processors, the leaf that publishes, and the children that run in workers.

    Args:
        new_publisher: returns a publisher for the name of a tracker and a path in its tree.
        parts: the parts of the node.

    Raises:
        ValueError: the tracker has no name.
    """
    if parts.tracker is None:
        raise ValueError(
            "its workers find it by the name of its tracker, and this tracker has none:"
            " register_tracker(tracker, name) before it is configured"
        )
    publisher = new_publisher(parts.tracker, parts.path)
    router = RemoteRouter(
        parts.path,
        parts.type_name,
        processors=parts.processors,
        publisher=parts.make_leaf(PUBLISHER, publisher),
        children=parts.children,
    )
    publisher.bind(router)
    for leaf in router.remote_leaves():
        leaf.connect(publisher.send_to)
    return router
