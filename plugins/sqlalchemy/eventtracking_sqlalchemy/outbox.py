"""The outbox: an event is a row that is written in the transaction of its data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, create_engine, insert
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from eventtracking_core import Event, Seconds
from eventtracking_core.encoding import encode_msgpack
from eventtracking_core.outbox import DeferringRouter
from eventtracking_core.routing import CompositeParts
from eventtracking_core.routing.compiled import Send
from eventtracking_sqlalchemy.schema import MAX_NAME, outbox
from eventtracking_sqlalchemy.sessions import Waiting, current_session, waiting_in

__all__ = ["Outbox", "OutboxRouter"]


class Outbox:
    """Writes events into the table `eventtracking_outbox`, in the transaction of their session.

    Events outside of `in_session` are written at once. `python -m eventtracking_sqlalchemy` brings
    committed events to the backends, at least once. The delivery of its backends is a queue unless
    it is configured.

    Args:
        url: the database, as `sqlalchemy.create_engine` takes it, with a synchronous driver.
        keep: seconds that delivered rows are kept; they are removed at once if 0.

    Raises:
        ValueError: the URL is not one, or its driver is asynchronous.
    """

    local_delivery: ClassVar[Mapping[str, str]] = {"mode": "queue"}

    def __init__(self, url: str, keep: Seconds = 0.0) -> None:
        try:
            engine = create_engine(url)
        except Exception as error:
            raise ValueError("url cannot be used: is its driver installed?") from error
        if make_url(url).get_dialect().is_async:
            raise ValueError("url must name a synchronous driver")
        self._engine = engine
        self._keep = keep

    def build_node(self, parts: CompositeParts) -> OutboxRouter:
        """Return the node."""
        return OutboxRouter(parts, self._engine, self._keep)


class OutboxRouter(DeferringRouter):
    """The node of an outbox, which writes; a deliverer sends to its backends.

    Args:
        parts: the parts of the node.
        engine: of the database.
        keep: seconds that delivered rows are kept.
    """

    def __init__(self, parts: CompositeParts, engine: Engine, keep: float) -> None:
        super().__init__(parts)
        self.engine = engine
        self.keep = keep

    def take(self, event: Event, send: Send) -> None:  # noqa: ARG002  the deliverer sends
        """Write an event into the table, when its transaction commits."""
        row = {
            "event_id": event["id"],
            "name": event["name"][:MAX_NAME],
            "node": self.path,
            "wire": encode_msgpack(event),
        }
        session = current_session()
        if session is None:
            self._write_alone(row)
        else:
            waiting_in(session).add(session, Waiting(write=partial(self._write, row)))

    def forked(self) -> None:
        """Leave the connections to the parent."""
        super().forked()
        self.engine.dispose(close=False)

    def _write_alone(self, row: dict[str, Any]) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(outbox), row)

    def _write(self, row: dict[str, Any], session: Session | None) -> None:
        try:
            if session is None:
                self._write_alone(row)
            else:
                _insert(session.connection(bind_arguments={"clause": outbox}), row)
        except Exception as error:  # noqa: BLE001  the transaction of the application goes on
            self._failed(error)


def _insert(connection: Connection, row: dict[str, Any]) -> None:
    # A statement that fails ends a transaction of PostgreSQL, but none of SQLite, whose driver
    # would commit a savepoint that is its first statement.
    if connection.dialect.name == "sqlite":
        connection.execute(insert(outbox), row)
        return
    with connection.begin_nested():
        connection.execute(insert(outbox), row)
