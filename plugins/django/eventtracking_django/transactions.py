"""Events that belong to a database transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from django.db import connections, transaction
from django.utils.connection import ConnectionDoesNotExist

from eventtracking_core import Event
from eventtracking_core.encoding import snapshot
from eventtracking_core.outbox import CommitRouter
from eventtracking_core.routing import CompositeParts
from eventtracking_core.routing.compiled import Send

__all__ = ["OnCommit", "check_alias", "run_on_commit"]

_logger: Final = logging.getLogger("eventtracking")


def check_alias(using: str | None) -> None:
    """Check that a database is configured.

    Raises:
        ValueError: it is not.
    """
    if using is not None and using not in list(connections):
        raise ValueError("using must be an alias in DATABASES")


def run_on_commit(function: Callable[[], object], using: str | None = None) -> None:
    """Call a function when the current transaction commits; at once outside of a transaction.

    Args:
        function: does not raise.
        using: the alias of the database; the default one if not given.
    """
    try:
        waits = transaction.get_connection(using).in_atomic_block
    except ConnectionDoesNotExist:
        _logger.error("there is no database %r: an event is sent at once", using)  # noqa: TRY400
        waits = False
    if waits:
        transaction.on_commit(function, using=using, robust=True)
    else:
        function()


class _Waiting:
    """An event that waits for the end of its transaction."""

    def __init__(
        self, event: Event, send: Callable[[Event], object], discarded: Callable[[], object]
    ) -> None:
        self._event = snapshot(event)
        self._send = send
        self._discarded = discarded
        self._is_sent = False

    def __call__(self) -> None:
        self._is_sent = True
        self._send(self._event)

    def __del__(self) -> None:
        # Django has no callback for a rollback; it drops the callbacks of the commit.
        if not self._is_sent:
            self._discarded()


class OnCommit:
    """Sends events when the current database transaction commits; discards them if it rolls back.

    Outside of `atomic` they are sent at once, also with `set_autocommit(False)`: Django tells of no
    commit there. An event is as it was when it was emitted. One that was emitted within a savepoint
    that rolls back is discarded too. Discarded events are counted as dropped, under `rolled_back`.

    Args:
        using: the alias of the database; the default one if not given.

    Raises:
        ValueError: there is no such database.
    """

    def __init__(self, using: str | None = None) -> None:
        check_alias(using)
        self._using = using

    def build_node(self, parts: CompositeParts) -> OnCommitRouter:
        """Return the node."""
        return OnCommitRouter(parts, self._using)


class OnCommitRouter(CommitRouter):
    """The node of `OnCommit`.

    Args:
        parts: the parts of the node.
        using: the alias of the database.
    """

    def __init__(self, parts: CompositeParts, using: str | None) -> None:
        super().__init__(parts)
        self._using = using

    def take(self, event: Event, send: Send) -> None:
        """Send an event to the backends when its transaction commits."""
        if not transaction.get_connection(self._using).in_atomic_block:
            send(event)
            return
        self.entered.add()
        run_on_commit(_Waiting(event, self.commit, self.roll_back), self._using)
