"""Emitting a single event that belongs to a session's transaction."""

from __future__ import annotations

from datetime import datetime

from eventtracking_core import Tracker, get_tracker
from eventtracking_sqlalchemy.sessions import AnySession, Waiting, in_session, waiting_in
from eventtracking_sqlalchemy.sessions import current_session as _current_session

__all__ = ["emit"]


def emit(
    name: object = None,
    data: object = None,
    *,
    session: AnySession,
    timestamp: datetime | None = None,
    on_commit: bool = False,
    tracker: Tracker | None = None,
) -> str:
    """Say what happened, as a part of a session's transaction.

    Args:
        name: as in `Tracker.emit`.
        data: as in `Tracker.emit`.
        session: a `Session`, an `AsyncSession`, or a scoped one.
        timestamp: as in `Tracker.emit`.
        on_commit: make the event now, and send it to all backends when the transaction commits;
            discard it if the transaction, or the savepoint it is emitted in, rolls back. Otherwise
            only nodes of the types `sqlalchemy.outbox` and `sqlalchemy.on_commit` wait.
        tracker: the tracker; the default one if not given.

    Returns:
        the event's id.
    """
    tracker = tracker or get_tracker()
    with in_session(session):
        if not on_commit:
            return tracker.emit(name, data, timestamp=timestamp)
        prepared = tracker.prepare(name, data, timestamp=timestamp)
        owner = _current_session()
        if owner is not None:
            waiting_in(owner).add(owner, Waiting(send=prepared.send))
        return prepared.id
