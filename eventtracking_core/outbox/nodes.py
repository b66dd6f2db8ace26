"""Nodes of the routing tree that decide when their backends get an event."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, Final, TypeVar

from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.errors import ClosedError
from eventtracking_core.events import Event
from eventtracking_core.routing import (
    AtomicCounter,
    CompositeParts,
    Leaf,
    RoutingBackend,
    walk_tree,
)
from eventtracking_core.routing.compiled import Send, fan_out
from eventtracking_core.routing.ledger import failure_reason
from eventtracking_core.tracker.trackers import get_tracker

__all__ = ["CommitRouter", "DeferringRouter", "nodes_below"]

N = TypeVar("N", bound="DeferringRouter")

_DELIVER: Final = attrgetter("deliver")


class DeferringRouter(RoutingBackend, ABC):
    """A router that takes events, and sends them to its backends when a subclass says so.

    Args:
        parts: the parts of the node.
    """

    def __init__(self, parts: CompositeParts) -> None:
        super().__init__()
        self.path = parts.path
        self.type_name = parts.type_name
        self._tracker = parts.tracker
        self.register_all(parts.children.children, parts.processors)

    @abstractmethod
    def take(self, event: Event, send: Send) -> None:
        """Take an event that has passed the processors.

        Args:
            event: the event; copy it (`encoding.snapshot`) to keep it.
            send: sends an event to the backends, now.
        """

    def targets(self, end: Callable[[Leaf], Send] = _DELIVER) -> list[Send]:
        """Return the one function that is called after the processors."""
        send = fan_out(tuple(super().targets(end)))

        def take(event: Event) -> None:
            try:
                self.take(event, send)
            except ClosedError:  # another tree has this one's place, and gets the event
                raise
            except Exception as error:  # noqa: BLE001  the other backends get the event
                self._failed(error)

        return [take]

    def _failed(self, error: Exception) -> None:
        reason = failure_reason(error)
        self.ledger.drop(reason)
        key, message = (self.path, reason, type(error)), "%s %s did not take an event: %s"
        attributes = {"backend": self.path, "reason": reason}
        report(ERROR, key, message, self.type_name, self.path, error, **attributes)

    def release(self, event: Event) -> None:
        """Send an event to the backends that the node has in the tracker's present tree."""
        try:
            fan_out(tuple(RoutingBackend.targets(self._present())))(event)
        except ClosedError as error:
            self._failed(error)

    def _present(self) -> RoutingBackend:
        """Return the node that has this one's place, after a configuration."""
        if self._tracker is None:
            return self
        nodes = nodes_below(get_tracker(self._tracker).root, type(self))
        return next((node for node in nodes if node.path == self.path), self)

    def stats(self, entered: int) -> dict[str, Any]:
        """Return the counters of the router and of everything below it."""
        return {**super().stats(entered), "type": self.type_name}


class CommitRouter(DeferringRouter):
    """A router whose events wait for a transaction, and are dropped if it rolls back.

    Args:
        parts: the parts of the node.
    """

    def __init__(self, parts: CompositeParts) -> None:
        super().__init__(parts)
        self.entered = AtomicCounter()
        """Events that began to wait."""
        self._left = AtomicCounter()

    def commit(self, event: Event) -> None:
        """Send an event whose transaction was committed."""
        self._left.add()
        self.release(event)

    def roll_back(self) -> None:
        """Count an event whose transaction was rolled back."""
        self._left.add()
        self.ledger.drop("rolled_back")

    def forked(self) -> None:
        """Count from zero in a forked child."""
        super().forked()
        self.entered.reset()
        self._left.reset()

    def stats(self, entered: int) -> dict[str, Any]:
        """Return the counters of the node and of its backends; `pending` waits for a commit."""
        return {**super().stats(entered), "pending": self.entered.value - self._left.value}


def nodes_below(router: RoutingBackend, kind: type[N]) -> Iterator[N]:
    """Return the nodes of a type in a tree."""
    return (node for _, node in walk_tree(router) if isinstance(node, kind))
