"""Every node of a routing tree, with the names that lead to it."""

from __future__ import annotations

from eventtracking_core.routing.leaf import Leaf
from eventtracking_core.routing.router import RoutingBackend

__all__ = ["walk_tree"]

_Names = tuple[str, ...]


def walk_tree(
    router: RoutingBackend, *, everywhere: bool = False
) -> list[tuple[_Names, Leaf | RoutingBackend]]:
    """Return a router and every node below it, outer nodes first, with the names that lead there.

    Args:
        router: the root, which has no names.
        everywhere: go also through what a composite backend has elsewhere, such as in workers.
    """
    nodes: list[tuple[_Names, Leaf | RoutingBackend]] = [((), router)]
    for part in router.parts if everywhere else (router,):
        for name, child in list(part.children.items()):
            if isinstance(child, Leaf):
                nodes.append(((name,), child))
                continue
            below = walk_tree(child, everywhere=everywhere)
            nodes += [((name, *names), node) for names, node in below]
    return nodes
