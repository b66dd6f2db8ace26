"""The routing tree, compiled into plain calls."""

from eventtracking_core.routing.leaf import Leaf
from eventtracking_core.routing.ledger import Counter, Ledger
from eventtracking_core.routing.router import RoutingBackend
from eventtracking_core.routing.saving import Saver
from eventtracking_core.routing.step import OnError, Step

__all__ = [
    "Counter",
    "Leaf",
    "Ledger",
    "OnError",
    "RoutingBackend",
    "Saver",
    "Step",
]
