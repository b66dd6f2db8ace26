"""A node that sends events when the transaction of their session commits."""

from __future__ import annotations

from functools import partial
from typing import Any

from eventtracking_core import Event
from eventtracking_core.encoding import snapshot
from eventtracking_core.outbox import DeferringRouter
from eventtracking_core.routing import AtomicCounter, CompositeParts
from eventtracking_core.routing.compiled import Send
from eventtracking_sqlalchemy.sessions import Waiting, current_session, waiting_in

__all__ = ["OnCommit"]


class OnCommit:
    """Sends events when their session's transaction commits; discards them if it rolls back.

    Events outside of `in_session` are sent at once. An event is as it was when it was emitted. One
    that was emitted within a savepoint that rolls back is discarded too. Discarded events are
    counted as dropped, under `rolled_back`.
    """

    def build_node(self, parts: CompositeParts) -> OnCommitRouter:
        """Return the node."""
        return OnCommitRouter(parts)


class OnCommitRouter(DeferringRouter):
    """The node of `OnCommit`.

    Args:
        parts: the parts of the node.
    """

    def __init__(self, parts: CompositeParts) -> None:
        super().__init__(parts)
        self._entered = AtomicCounter()
        self._left = AtomicCounter()

    def take(self, event: Event, send: Send) -> None:
        """Send an event to the backends when its transaction commits."""
        session = current_session()
        if session is None:
            send(event)
            return
        self._entered.add()
        waiting = Waiting(send=partial(self._commit, snapshot(event)), discard=self._roll_back)
        waiting_in(session).add(session, waiting)

    def _commit(self, event: Event) -> None:
        self._left.add()
        self.release(event)

    def _roll_back(self) -> None:
        self._left.add()
        self.ledger.drop("rolled_back")

    def forked(self) -> None:
        """Count from zero in a forked child."""
        super().forked()
        self._entered.restart()
        self._left.restart()

    def stats(self, entered: int) -> dict[str, Any]:
        """Return the counters of the node and of its backends; `pending` waits for a commit."""
        return {**super().stats(entered), "pending": self._entered.value - self._left.value}
