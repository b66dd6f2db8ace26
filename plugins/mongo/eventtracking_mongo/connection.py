"""The connection: one client per process, created by its first event."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from threading import Thread, main_thread
from typing import Any, Final, TypeAlias

from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import InvalidName, InvalidURI, PyMongoError

from eventtracking_core import RetryableError

__all__ = ["Connection", "Documents"]

Documents: TypeAlias = Collection[dict[str, Any]]

DATABASE: Final = "eventtracking"


class Connection:
    """Returns the collection, through a client of the calling process.

    Args:
        host: a connection string, or a server's name.
        options: further arguments of `MongoClient`.
        database: a name; by default the one in the connection string, or else `eventtracking`.
        collection: a name.
        write_concern: how a write is acknowledged.

    Raises:
        ValueError: pymongo rejects them; the message contains none of their values.
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
        # By process id. A child inherits its parent's, and must not write to the same sockets.
        self._opened: dict[int, Documents] = {}
        # By process id: the thread that resolves the servers' names.
        self._openers: dict[int, Thread] = {}
        try:
            self._open()
        except (OSError, PyMongoError, TypeError, ValueError) as error:
            raise ValueError(self._refusal(error)) from None

    def warm_up(self) -> None:
        """Search for servers in pymongo's threads, which can't be started at interpreter exit.

        With `mongodb+srv`, names are resolved first, which is slow and so runs in a thread too.
        """
        process = os.getpid()
        if process in self._opened or process in self._openers:
            return
        self._close_inherited(process)
        if self._host.startswith("mongodb+srv:"):
            opener = Thread(target=self._warm_up_quietly, args=(process,), daemon=True)
            self._openers = {process: opener}
            opener.start()
        else:
            self._warm_up(process)

    def _warm_up(self, process: int) -> None:
        opened = self._open(connect=True)
        if _can_start_threads():
            self._keep(process, opened)

    def _warm_up_quietly(self, process: int) -> None:
        with suppress(PyMongoError):  # the first attempt will report it
            self._warm_up(process)

    def collection(self, timeout: float = 0.0) -> Documents:
        """Return the collection, which connects on first use.

        Args:
            timeout: seconds to wait for `warm_up`, if it is still resolving names.

        Raises:
            RetryableError: there is no connection, and it is too late to open one.
        """
        process = os.getpid()
        opener = self._openers.get(process)
        if opener is not None and process not in self._opened:
            opener.join(timeout)
        opened = self._opened.get(process)
        if opened is None:
            if not _can_start_threads():  # pymongo would wait for servers in vain
                text = "MongoDB: too late to connect at interpreter exit: call flush before"
                raise RetryableError(text)
            self._close_inherited(process)
            opened = self._keep(process, self._open())
        return opened

    def _keep(self, process: int, opened: Documents) -> Documents:
        """Return the collection of this process's client; close any other client."""
        collection = self._opened.setdefault(process, opened)
        if collection is not opened:
            opened.database.client.close()
        return collection

    def close(self) -> None:
        """Close this process's client, if there is one; the next use opens another."""
        opened = self._opened.pop(os.getpid(), None)
        if opened is not None:
            opened.database.client.close()

    def _open(self, *, connect: bool = False) -> Documents:
        """Return the collection of a new client; unless told to, it connects when it is used."""
        options: dict[str, Any] = {**self._options, "connect": connect}
        client: MongoClient[dict[str, Any]] = MongoClient(self._host, **options)
        database = (
            client.get_default_database(DATABASE, write_concern=self._write_concern)
            if self._database is None
            else client.get_database(self._database, write_concern=self._write_concern)
        )
        return database.get_collection(self._collection)

    def _close_inherited(self, process: int) -> None:
        # After a fork, pymongo gives the child's copy of a client a fresh topology: closing it
        # touches none of the parent's sockets and sessions.
        for other in self._opened.keys() - {process}:
            self._opened.pop(other).database.client.close()

    def _refusal(self, error: Exception) -> str:
        if isinstance(error, InvalidURI):
            return (
                "uri must have the form mongodb://user:password@host:port/database?option=value, "
                "with user and password percent-encoded"
            )
        if isinstance(error, InvalidName):
            return "database and collection must be names that MongoDB allows"
        rejected = [key for key, value in self._options.items() if not _is_accepted(key, value)]
        if isinstance(error, OSError):  # certificates are read at once
            names = ", ".join(rejected) or "uri"
            return f"{names} names a file that cannot be read ({error.strerror})"
        names = ", ".join(rejected) or "uri, or the combination of options"
        return f"pymongo rejects {names} ({type(error).__name__}); see pymongo.MongoClient"


def _can_start_threads() -> bool:
    """Return whether pymongo can start threads; from Python 3.12 on, not at interpreter exit."""
    return sys.version_info < (3, 12) or main_thread().is_alive()


def _is_accepted(option: str, value: object) -> bool:
    if option in {"username", "password"}:  # accepted only together
        return True
    options: dict[str, Any] = {option: value, "connect": False}
    try:
        MongoClient(**options)
    except (OSError, PyMongoError, TypeError, ValueError):
        return False
    return True
