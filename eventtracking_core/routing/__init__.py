"""The routing tree, compiled into plain calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventtracking_core.lazy import lazy
from eventtracking_core.routing.leaf import InlineLeaf, Leaf
from eventtracking_core.routing.ledger import AtomicCounter, Ledger
from eventtracking_core.routing.processor_node import ProcessorNode
from eventtracking_core.routing.router import RoutingBackend

if TYPE_CHECKING:
    from eventtracking_core.routing.composite import (
        CompositeBackend,
        CompositeParts,
        LeafPlace,
        RemoteComposite,
    )
    from eventtracking_core.routing.walking import walk_tree

__all__ = [
    "AtomicCounter",
    "CompositeBackend",
    "CompositeParts",
    "InlineLeaf",
    "Leaf",
    "LeafPlace",
    "Ledger",
    "ProcessorNode",
    "RemoteComposite",
    "RoutingBackend",
    "walk_tree",
]

# What only configurations need.
__getattr__, __dir__ = lazy(__name__, "walking", "composite")
