"""The routing tree, compiled into plain calls."""

from eventtracking_core.routing.composite import CompositeBackend, CompositeParts
from eventtracking_core.routing.leaf import Leaf
from eventtracking_core.routing.ledger import Counter, Ledger
from eventtracking_core.routing.processor_node import OnError, ProcessorNode
from eventtracking_core.routing.router import RoutingBackend
from eventtracking_core.routing.saving import Saver

__all__ = [
    "CompositeBackend",
    "CompositeParts",
    "Counter",
    "Leaf",
    "Ledger",
    "OnError",
    "ProcessorNode",
    "RoutingBackend",
    "Saver",
]
