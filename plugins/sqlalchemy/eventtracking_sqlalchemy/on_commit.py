"""A node that sends events when the transaction of their session commits."""

from __future__ import annotations

from functools import partial

from eventtracking_core import Event
from eventtracking_core.encoding import snapshot
from eventtracking_core.outbox import CommitRouter
from eventtracking_core.routing import CompositeParts
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


class OnCommitRouter(CommitRouter):
    """The node of `OnCommit`.

    Args:
        parts: the parts of the node.
    """

    def take(self, event: Event, send: Send) -> None:
        """Send an event to the backends when its transaction commits."""
        session = current_session()
        if session is None:
            send(event)
            return
        self.entered.add()
        waiting = Waiting(send=partial(self.commit, snapshot(event)), discard=self.roll_back)
        waiting_in(session).add(session, waiting)
