"""The table of the outbox, as deliverers see it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, inspect, select, update
from sqlalchemy.exc import SQLAlchemyError

from eventtracking_core import Event, Tracker, get_tracker
from eventtracking_core.encoding import decode_msgpack
from eventtracking_core.outbox import Table, nodes_below, only_deliverer
from eventtracking_core.routing import Leaf
from eventtracking_sqlalchemy.outbox import OutboxRouter
from eventtracking_sqlalchemy.schema import outbox as rows_table

__all__ = ["OutboxTable", "tables"]

_logger: Final = logging.getLogger("eventtracking")


def tables(tracker: Tracker | None = None) -> list[OutboxTable]:
    """Return the outboxes in a tracker's tree; the default tracker's if not given."""
    return [
        OutboxTable(outbox) for outbox in nodes_below((tracker or get_tracker()).root, OutboxRouter)
    ]


class OutboxTable(Table[Row[Any]]):
    """The rows of one outbox.

    Args:
        outbox: the node.
    """

    def __init__(self, outbox: OutboxRouter) -> None:
        super().__init__(outbox, outbox.keep)
        self._path = outbox.path
        self._engine = outbox.engine
        self._claiming: Connection | None = None

    @contextmanager
    def claim(self, limit: int) -> Iterator[Sequence[Row[Any]]]:
        """Return the oldest rows; the others' are skipped where the database can lock rows."""
        query = (
            select(rows_table)
            .where(
                rows_table.c.node == self._path,
                rows_table.c.delivered.is_(None),
                rows_table.c.error.is_(None),
            )
            .order_by(rows_table.c.id)
            .limit(limit)
        )
        if self._engine.dialect.name == "sqlite":
            url = self._engine.url
            with only_deliverer(url.database or "", url.render_as_string()):
                with self._engine.begin() as connection:
                    rows = connection.execute(query).all()
                yield rows
            return
        with self._engine.begin() as connection:
            self._claiming = connection
            try:
                yield connection.execute(query.with_for_update(skip_locked=True)).all()
            finally:
                self._claiming = None

    def read(self, row: Row[Any]) -> tuple[Event, str]:
        """Return the event of a row, which is for all backends."""
        return decode_msgpack(row.wire), ""

    def bury(self, row: Row[Any], error: str) -> None:
        """Mark a row that does not hold an event; it stays."""
        _logger.error("outbox %s: row %d stays: %s", self._path, row.id, error)
        with self._connected() as connection:
            marked = update(rows_table).where(rows_table.c.id == row.id)
            connection.execute(marked.values(error=error))

    def delivered(self, rows: Sequence[Row[Any]], leaves: Sequence[Leaf]) -> None:  # noqa: ARG002
        """Remove rows, or mark them."""
        done = rows_table.c.id.in_([row.id for row in rows]) & rows_table.c.error.is_(None)
        with self._connected() as connection:
            if self.keep:
                now = datetime.now(UTC)
                connection.execute(update(rows_table).where(done).values(delivered=now))
            else:
                connection.execute(delete(rows_table).where(done))

    def explain(self, error: Exception) -> str:
        """Return what is wrong with the database, and what to do."""
        with suppress(SQLAlchemyError):
            if not inspect(self._engine).has_table(rows_table.name):
                return f"its table {rows_table.name} is missing: create it, see metadata"
        return f"the database answered with {type(error).__name__}"

    def prune(self) -> int:
        """Remove the rows that were delivered longer ago than they are kept; return how many."""
        limit = datetime.now(UTC) - timedelta(seconds=self.keep)
        old = delete(rows_table).where(
            rows_table.c.node == self._path, rows_table.c.delivered < limit
        )
        with self._engine.begin() as connection:
            return connection.execute(old).rowcount

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Return the connection that holds the rows, or a new one."""
        if self._claiming is not None:
            yield self._claiming
            return
        with self._engine.begin() as connection:
            yield connection
