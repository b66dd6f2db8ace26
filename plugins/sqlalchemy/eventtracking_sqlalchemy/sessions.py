"""Which session events belong to, and their outcome at the end of its transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

__all__ = ["AnySession", "Waiting", "current_session", "in_session", "waiting_in"]

AnySession = Session | AsyncSession | scoped_session[Any] | async_scoped_session[Any]

_KEY: Final = "eventtracking"
_current: Final[ContextVar[Session | None]] = ContextVar("eventtracking_session", default=None)


@contextmanager
def in_session(session: AnySession) -> Iterator[None]:
    """Let the events of a block belong to a session's transaction.

    Args:
        session: a `Session`, an `AsyncSession`, or a scoped one.
    """
    token = _current.set(_plain(session))
    try:
        yield
    finally:
        _current.reset(token)


def current_session() -> Session | None:
    """Return the session that events belong to, or None outside of `in_session`."""
    return _current.get()


def _plain(session: AnySession) -> Session:
    current = session() if isinstance(session, scoped_session | async_scoped_session) else session
    return current.sync_session if isinstance(current, AsyncSession) else current


class Waiting(NamedTuple):
    """An event that waits for the end of a transaction.

    Attributes:
        write: called before the commit with the session, to write in its transaction; with None
            after the commit, if the event came too late for that.
        send: called after the commit.
        discard: called when the transaction rolls back.
        transaction: the transaction or savepoint; None until one begins.
    """

    write: Callable[[Session | None], object] | None = None
    send: Callable[[], object] | None = None
    discard: Callable[[], object] | None = None
    transaction: SessionTransaction | None = None


def waiting_in(session: Session) -> WaitingEvents:
    """Return the events that wait for the end of a session's transaction."""
    waiting = session.info.get(_KEY)
    if not isinstance(waiting, WaitingEvents):
        waiting = session.info[_KEY] = WaitingEvents(session)
    return waiting


class WaitingEvents:
    """The events that wait for the end of a session's transaction.

    An event that is emitted before the session begins a transaction belongs to the next one.

    Args:
        session: the session; it holds this object.
    """

    def __init__(self, session: Session) -> None:
        self._events: list[Waiting] = []
        for name, listener in (
            ("after_transaction_create", self._begin),
            ("before_commit", self._write),
            ("after_commit", self._send),
            ("after_soft_rollback", self._roll_back),
            ("after_transaction_end", self._end),
        ):
            event.listen(session, name, listener)

    def __del__(self) -> None:
        self._discard(self._events)

    def add(self, session: Session, waiting: Waiting) -> None:
        """Add an event to the session's current transaction or savepoint."""
        transaction = session.get_nested_transaction() or session.get_transaction()
        self._events.append(waiting._replace(transaction=transaction))

    def _begin(self, _session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None:
            self._events = [
                each if each.transaction else each._replace(transaction=transaction)
                for each in self._events
            ]

    def _write(self, session: Session) -> None:
        session.flush()  # its hooks may emit
        ending = session.get_nested_transaction()
        events, self._events = self._events, []
        for each in events:
            if each.write is None or not (ending is None or _is_within(each.transaction, ending)):
                self._events.append(each)
            else:
                each.write(session)

    def _send(self, session: Session) -> None:
        if session.in_nested_transaction():
            return
        events, self._events = self._events, []
        for each in events:
            if each.send is not None:
                each.send()
            if each.write is not None:
                each.write(None)

    def _roll_back(self, _session: Session, ended: SessionTransaction) -> None:
        self._discard_within(ended)

    def _end(self, _session: Session, ended: SessionTransaction) -> None:
        if ended.parent is None:
            self._discard_within(ended)

    def _discard_within(self, ended: SessionTransaction) -> None:
        events, self._events = self._events, []
        within: list[Waiting] = []
        for each in events:
            (within if _is_within(each.transaction, ended) else self._events).append(each)
        self._discard(within)

    @staticmethod
    def _discard(events: list[Waiting]) -> None:
        for each in events:
            if each.discard is not None:
                each.discard()


def _is_within(transaction: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while transaction is not None:
        if transaction is outer:
            return True
        transaction = transaction.parent
    return False
