"""The counters of a router and of everything below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from eventtracking_core.routing.leaf import Leaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from eventtracking_core.routing.ledger import Ledger
    from eventtracking_core.routing.processor_node import ProcessorNode

__all__ = ["router_stats"]


class Counted(Protocol):
    """A router."""

    def stats(self, entered: int) -> dict[str, Any]:
        """Return its counters, given how many events reached it."""


def router_stats(
    ledger: Ledger,
    processors: Iterable[ProcessorNode],
    children: Mapping[str, Leaf | Counted],
    accepted: int,
) -> dict[str, Any]:
    """Return the counters of a router and of everything below it.

    Args:
        ledger: the router's.
        processors: its own.
        children: the nodes below it, by name.
        accepted: how many events reached it.
    """
    dropped = ledger.dropped_by_reason()
    added = ledger.added.value
    passed = accepted + added - sum(dropped.values())
    return {
        "accepted": accepted,
        "added": added,
        "dropped": dropped,
        "processors": [step.stats() for step in processors],
        "backends": [
            child.stats()
            if isinstance(child, Leaf)
            else {"name": name, "type": "router", **child.stats(passed)}
            for name, child in children.items()
        ],
    }
