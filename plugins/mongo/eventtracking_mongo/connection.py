"""The connection: one client a process, made by its first event."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import InvalidName, InvalidURI, PyMongoError

__all__ = ["Connection", "Documents"]

Documents: TypeAlias = Collection[dict[str, Any]]

DATABASE: Final = "eventtracking"


class Connection:
    """Finds the collection, through a client that belongs to the process that asks.

    Args:
        host: a connection string, or a server's name.
        options: further arguments of `MongoClient`.
        database: a name; if not given, the one in the connection string, else `eventtracking`.
        collection: a name.
        write_concern: how a write is acknowledged.

    Raises:
        ValueError: pymongo refuses them; the message holds none of their values.
    """

    def __init__(
        self,
        host: str,
        options: Mapping[str, Any],
        database: str | None,
        collection: str,
        write_concern: WriteConcern,
    ) -> None:
        self._host = host
        self._options = options
        self._database = database
        self._collection = collection
        self._write_concern = write_concern
        # By process id. A fork inherits its parent's, and must not write to the same sockets.
        self._opened: dict[int, Documents] = {}
        try:
            self._open()
        except (PyMongoError, TypeError, ValueError) as error:
            raise ValueError(self._refusal(error)) from None

    def begin(self) -> None:
        """Look for the servers, in threads of pymongo's, which at an exit could not be started.

        Not where that would look up names first, as `mongodb+srv` does: nobody waits for that here.
        """
        process = os.getpid()
        if process not in self._opened and not self._host.startswith("mongodb+srv:"):
            self._close_inherited(process)
            self._opened.setdefault(process, self._open(connect=True))

    def collection(self) -> Documents:
        """Return the collection, connected when it is first used."""
        process = os.getpid()
        opened = self._opened.get(process)
        if opened is None:
            self._close_inherited(process)
            # Where two threads are here at once, the client of one is never used.
            opened = self._opened.setdefault(process, self._open())
        return opened

    def close(self) -> None:
        """Close this process's client, if it has one; the next use opens another."""
        opened = self._opened.pop(os.getpid(), None)
        if opened is not None:
            opened.database.client.close()

    def _open(self, *, connect: bool = False) -> Documents:
        """Return the collection of a new client; unless told to, it connects when it is used."""
        options: dict[str, Any] = {**self._options, "connect": connect}
        client: MongoClient[dict[str, Any]] = MongoClient(self._host, **options)
        database = (
            client.get_default_database(DATABASE)
            if self._database is None
            else client.get_database(self._database)
        )
        return database.get_collection(self._collection, write_concern=self._write_concern)

    def _close_inherited(self, process: int) -> None:
        # After a fork, pymongo gives the child's copy of a client a fresh topology: closing it
        # touches none of the parent's sockets and sessions.
        for other in self._opened.keys() - {process}:
            self._opened.pop(other).database.client.close()

    def _refusal(self, error: Exception) -> str:
        if isinstance(error, InvalidURI):
            return (
                "uri must read mongodb://user:password@host:port/database?option=value, "
                "with user and password percent-encoded"
            )
        if isinstance(error, InvalidName):
            return "database and collection must be names that MongoDB allows"
        refused = [key for key, value in self._options.items() if not _is_accepted(key, value)]
        what = ", ".join(refused) or "uri, or the options together"
        return f"pymongo refuses {what} ({type(error).__name__}); see pymongo.MongoClient"


def _is_accepted(option: str, value: object) -> bool:
    if option in {"username", "password"}:  # one is not accepted without the other
        return True
    options: dict[str, Any] = {option: value, "connect": False}
    try:
        MongoClient(**options)
    except (PyMongoError, TypeError, ValueError):
        return False
    return True
