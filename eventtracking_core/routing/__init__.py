"""The routing tree, compiled into plain calls."""

from eventtracking_core.registry.store import EventTypeWriter
from eventtracking_core.routing.composite import CompositeBackend, CompositeParts, RemoteComposite
from eventtracking_core.routing.leaf import InlineLeaf, Leaf
from eventtracking_core.routing.ledger import AtomicCounter, Ledger
from eventtracking_core.routing.place import LeafPlace
from eventtracking_core.routing.processor_node import OnError, ProcessorNode
from eventtracking_core.routing.router import RoutingBackend

__all__ = [
    "AtomicCounter",
    "CompositeBackend",
    "CompositeParts",
    "EventTypeWriter",
    "InlineLeaf",
    "Leaf",
    "LeafPlace",
    "Ledger",
    "OnError",
    "ProcessorNode",
    "RemoteComposite",
    "RoutingBackend",
]
