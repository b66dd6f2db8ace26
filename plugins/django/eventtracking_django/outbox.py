"""The outbox: an event is a row that is written in the transaction of the data it tells of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ClassVar

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from eventtracking_core import Event, Seconds
from eventtracking_core.encoding import encode_msgpack
from eventtracking_core.routing import CompositeParts
from eventtracking_core.routing.compiled import Send
from eventtracking_django.models import MAX_NAME, OutboxEvent
from eventtracking_django.router import DeferringRouter, LocalComposite
from eventtracking_django.transactions import check_alias

__all__ = ["Outbox", "OutboxRouter"]


class Outbox(LocalComposite):
    """Writes events into a table, in the transaction that is open.

    `manage.py eventtracking deliver` brings committed events to the backends, at least once. The
    delivery of its backends is a queue unless it is configured.

    Args:
        using: the alias of the database; the default one if not given.
        keep: seconds that delivered rows are kept; they are removed at once if 0.

    Raises:
        ValueError: there is no such database.
    """

    local_delivery: ClassVar[Mapping[str, str]] = {"mode": "queue"}

    def __init__(self, using: str | None = None, keep: Seconds = 0.0) -> None:
        check_alias(using)
        self._alias = using or DEFAULT_DB_ALIAS
        self._keep = keep

    def build_node(self, parts: CompositeParts) -> OutboxRouter:
        """Return the node."""
        return OutboxRouter(parts, self._alias, self._keep)


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
        if _is_async():  # the ORM refuses to work there, and no transaction is open
            _writer().submit(_write, row, self.alias).result()
        elif transaction.get_connection(self.alias).in_atomic_block:
            # A failure must not break the transaction of the application.
            with transaction.atomic(using=self.alias):
                row.save(using=self.alias, force_insert=True)
        else:
            row.save(using=self.alias, force_insert=True)


def _is_async() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@cache
def _writer() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "eventtracking-outbox")


def _write(row: OutboxEvent, alias: str) -> None:
    connections[alias].close_if_unusable_or_obsolete()
    row.save(using=alias, force_insert=True)
