"""Writing events into the table of the outbox."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.db import connections, transaction

from eventtracking_core import Event
from eventtracking_core.encoding import encode_msgpack
from eventtracking_core.lifecycle.forks import on_fork
from eventtracking_core.outbox import DeferringRouter
from eventtracking_core.routing import CompositeParts
from eventtracking_core.routing.compiled import Send
from eventtracking_django.asynchronous import is_async
from eventtracking_django.models import MAX_NAME, OutboxEvent

__all__ = ["OutboxRouter"]


class OutboxRouter(DeferringRouter):
    """The node of an outbox, which writes; a deliverer sends to its backends.

    Args:
        parts: the parts of the node.
        alias: of the database.
        keep: seconds that delivered rows are kept.
    """

    def __init__(self, parts: CompositeParts, alias: str, keep: float) -> None:
        super().__init__(parts)
        self.alias = alias
        self.keep = keep

    def take(self, event: Event, send: Send) -> None:  # noqa: ARG002  the deliverer sends
        """Write an event into the table."""
        row = OutboxEvent(
            event_id=event["id"],
            name=event["name"][:MAX_NAME],
            node=self.path,
            wire=encode_msgpack(event),
        )
        if is_async():  # the ORM refuses to work there, and no transaction is open
            _writer().submit(_write, row, self.alias).result()
        elif transaction.get_connection(self.alias).in_atomic_block:
            # A failure must not break the transaction of the application.
            with transaction.atomic(using=self.alias):
                row.save(using=self.alias, force_insert=True)
        else:
            row.save(using=self.alias, force_insert=True)


@cache
def _writer() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "eventtracking-outbox")


@on_fork
def _forked() -> None:
    _writer.cache_clear()  # its thread is the parent's


def _write(row: OutboxEvent, alias: str) -> None:
    connections[alias].close_if_unusable_or_obsolete()
    row.save(using=alias, force_insert=True)
