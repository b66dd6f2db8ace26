"""Every node of a routing tree, with the names that lead to it."""

from __future__ import annotations

from collections.abc import Iterator

from eventtracking_core.routing.leaf import Leaf
from eventtracking_core.routing.router import RoutingBackend

__all__ = ["walk_tree"]


def walk_tree(
    router: RoutingBackend, *, everywhere: bool = False
) -> Iterator[tuple[tuple[str, ...], Leaf | RoutingBackend]]:
    """Yield a router and every node below it, outer nodes first, with the names that lead to them.

    Args:
        router: the root, which has no names.
        everywhere: go also through what a composite backend has elsewhere, such as in workers.
    """
    yield (), router
    for part in router.parts if everywhere else (router,):
        for name, child in list(part.children.items()):
            if isinstance(child, RoutingBackend):
                for names, node in walk_tree(child, everywhere=everywhere):
                    yield (name, *names), node
            else:
                yield (name,), child
