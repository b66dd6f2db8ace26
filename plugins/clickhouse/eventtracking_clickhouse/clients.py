"""A client for each process, whose requests end in time."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import clickhouse_connect
import urllib3
from clickhouse_connect.driver.client import Client

from eventtracking_clickhouse.rows import Values
from eventtracking_core.http.connection import set_deadline
from eventtracking_core.http.exchange import pool_manager

__all__ = ["Clients"]

Settings = Mapping[str, str | int]

_INTERFACES: Final = {"clickhouse": "http", "clickhouses": "https"}
_PORTS: Final = {"http": 8123, "https": 8443}
CONNECTIONS: Final = 16
"""Idle connections of a process, at most."""

_PIECE: Final = 256 * 1024
"""Bytes of an answer that are read at once."""

# The driver logs what it raises, and we report that: nothing on stderr where logging is not set up.
logging.getLogger(clickhouse_connect.__name__).addHandler(logging.NullHandler())


class Clients:
    """Connects when a process first needs it; any thread may use it.

    Args:
        uri: `clickhouse://user:password@host:port/database`, or `clickhouses://` for TLS.

    Raises:
        ValueError: the URI cannot be used.
    """

    def __init__(self, uri: str) -> None:
        try:
            parts = urlsplit(uri)
            self._interface = _INTERFACES[parts.scheme]
            self._port = parts.port or _PORTS[self._interface]
            self._host = _host(parts)
        except (ValueError, KeyError):
            raise ValueError(
                "uri must have the form clickhouse://user:password@host:port/database "
                "(clickhouses:// for TLS), with user and password percent-encoded"
            ) from None
        self._user = unquote(parts.username or "default")
        self._password = unquote(parts.password or "")
        self._database = unquote(parts.path.strip("/")) or None
        # Replaced as a whole: the process, its client, and the client's connections.
        self._client: tuple[int, Client, urllib3.PoolManager] | None = None

    def insert(
        self,
        table: str,
        types: Mapping[str, str],
        values: Values,
        settings: Settings,
        timeout: float,
    ) -> None:
        """Insert rows within `timeout` seconds.

        Args:
            table: its quoted name.
            types: of the columns, by their names.
            values: of each column, in the same order.
            settings: of the server, for this insert.
            timeout: in seconds.

        Raises:
            Exception: the driver's, or the network's.
        """
        set_deadline(timeout)
        self._opened().insert(
            table,
            values,
            column_names=list(types),
            column_type_names=list(types.values()),
            column_oriented=True,
            settings=dict(settings),
        )

    def command(self, statement: str, timeout: float) -> None:
        """Run a statement that has no rows as its answer; see `insert`."""
        set_deadline(timeout)
        self._opened().command(statement)

    def rows(self, query: str, settings: Settings, timeout: float) -> Iterator[bytes]:
        """Yield the lines of an answer in the format JSONCompactEachRow.

        Args:
            query: a SELECT.
            settings: of the server, for this query.
            timeout: seconds for each piece of the answer: the caller may take its time.
        """
        set_deadline(timeout)
        response: Any = self._opened().raw_stream(
            query, settings=dict(settings), fmt="JSONCompactEachRow"
        )
        rest = b""
        try:
            while piece := self._read(response, timeout):
                *lines, rest = (rest + piece).split(b"\n")
                yield from lines
            if rest:
                yield rest
        finally:
            response.close()

    def version(self, timeout: float) -> str:
        """Return the server's version, after logging in; see `insert`."""
        set_deadline(timeout)
        self.close()
        return str(self._opened().server_version)

    def close(self) -> None:
        """Close the connections of this process; the next request opens new ones."""
        client, self._client = self._client, None
        if client is not None and client[0] == os.getpid():
            client[2].clear()

    def _opened(self) -> Client:
        client = self._client
        if client is None or client[0] != os.getpid():  # a parent's connections are the parent's
            client = self._client = os.getpid(), *self._new()
        return client[1]

    def _new(self) -> tuple[Client, urllib3.PoolManager]:
        pool: urllib3.PoolManager = pool_manager(
            urllib3, self._interface, self._host, connections=CONNECTIONS
        )
        client = clickhouse_connect.get_client(
            interface=self._interface,
            host=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            database=self._database,
            compress=False,
            query_retries=0,
            client_name="eventtracking",
            autogenerate_session_id=False,  # the requests of a session wait for each other
            pool_mgr=pool,
        )
        return client, pool

    @staticmethod
    def _read(response: Any, timeout: float) -> bytes:
        set_deadline(timeout)
        piece: bytes = response.read(_PIECE)
        return piece


def _host(parts: SplitResult) -> str:
    if not parts.hostname or parts.query or parts.fragment or "/" in parts.path.strip("/"):
        raise ValueError
    return parts.hostname
