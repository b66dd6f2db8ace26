"""The SQLite backend: one connection per process, one transaction per batch."""

from __future__ import annotations

import ctypes
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from math import ceil
from pathlib import Path
from time import monotonic
from typing import ClassVar, Final, get_args

from eventtracking_core import (
    BatchError,
    Event,
    EventType,
    RetryableError,
    Seconds,
)
from eventtracking_core.encoding import encode_columns, encode_with_columns, unencodable
from eventtracking_core.files.probing import absolute, probe_file
from eventtracking_sqlite._database import Synchronous, open_for_writing
from eventtracking_sqlite._descriptors import Descriptors, high_numbers, lock_inherited, numbers
from eventtracking_sqlite._elsewhere import store_elsewhere
from eventtracking_sqlite._errors import failure, is_broken
from eventtracking_sqlite._event_types import insert
from eventtracking_sqlite._inserting import insert_rows, never
from eventtracking_sqlite._locks import BeginAgainError, ForkLock
from eventtracking_sqlite._reading import Reading
from eventtracking_sqlite._rows import INSERT, Row, row

__all__ = ["SqliteBackend"]

DAY: Final = 86_400.0
"""Maximum seconds to wait."""


class SqliteBackend(Reading):
    """Stores events in an SQLite database, each id once.

    The file is created with the first event, readable only by its owner. It is in WAL mode, so
    readers and writers do not wait for each other, and any number of processes may write. An event
    is stored when `send` returns: it survives a killed process.

    The table `events` has the columns `id` (the primary key), `name`, `timestamp` (RFC 3339, UTC,
    microseconds, `Z`: it sorts as text), `user_id` (from the context, as text; NULL if there is
    none), `name_id`, `context_type_id`, and `event`, the whole event in JSON. There are indexes on
    name, timestamp and user. The table `event_types` explains an event's `name_id`, and
    `event_type_fields` has one row per field. `PRAGMA user_version` is the schema's version.

    Args:
        path: the database file; a relative path is resolved now, `~` is the home directory.
        synchronous: `full` waits for the disk at each commit; with `normal`, a power loss may
            undo the latest commits, but never damages the file.
        busy_timeout: seconds to wait for other connections, in `send` and when reading.

    Raises:
        ValueError: `path` is empty, `synchronous` is unknown, or `busy_timeout` is negative.
    """

    takes_json: ClassVar[bool] = True

    def __init__(
        self, path: str, synchronous: Synchronous = "normal", busy_timeout: Seconds = 5.0
    ) -> None:
        if path in {"", ":memory:"}:
            raise ValueError("path must name a file")
        if synchronous not in get_args(Synchronous):
            raise ValueError("synchronous must be normal or full")
        if not busy_timeout >= 0:
            raise ValueError("busy_timeout must not be negative")
        self._path = absolute(path)
        self._synchronous: Synchronous = synchronous
        self._busy_timeout = min(busy_timeout, DAY)
        self._lock = ForkLock(self._path)
        # Guarded by the lock:
        self._connection: sqlite3.Connection | None = None
        self._owner = 0  # the process that opened it
        self._file: tuple[int, int] | None = None
        self._descriptors: Descriptors | None = None
        self._lost: Descriptors | None = None  # of a connection that cannot be closed
        self._waits = 0  # milliseconds, as the connection was last told

    def __del__(self) -> None:
        if getattr(self, "_connection", None) is not None:
            self._close()

    def probe(self, timeout: float, /) -> str:
        """Return whether the database can be written; none is created.

        Raises:
            RetryableError: the database is locked or cannot be used.
            OSError: the file cannot be written or created.
        """
        if not self._path.is_file():  # closing a database that is open would release its locks
            return probe_file(self._path)
        try:
            with closing(sqlite3.connect(self._path, timeout=timeout)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise failure(error) from error
        return f"the database is writable (SQLite {sqlite3.sqlite_version})"

    def send(self, event: Event) -> None:
        """Store an event, unless its id is already stored.

        Raises:
            RetryableError: the database is locked, its disk is full, or it cannot be used.
            RejectedError: the event cannot be stored.
        """
        stored = _row(event)
        if not self._lock.was_writing:
            with (
                suppress(BeginAgainError),
                self._writing(self._busy_timeout) as connection,
                self._transaction(connection),
            ):
                connection.execute(INSERT, stored)
                return
        for error in self.store({0: stored}, self._busy_timeout).values():
            raise error

    def send_batch(self, events: Sequence[Event], *, timeout: float) -> None:
        """Store events in one transaction, except those whose id is there already.

        Args:
            events: any number of them.
            timeout: seconds to wait for other connections.

        Raises:
            BatchError: some events cannot be stored, the others are.
            RetryableError: the database is locked, its disk is full, or it cannot be used.
        """
        lines, failures = encode_columns(events)
        rows = map(row, lines.texts, lines.columns)
        failures |= self.store(dict(zip(lines.indexes, rows, strict=True)), timeout)
        if failures:
            raise BatchError(failures)

    def store(self, rows: Mapping[int, Row], timeout: float) -> dict[int, Exception]:
        """Store rows in one transaction; return the errors of those that cannot be stored.

        Args:
            rows: by any numbers.
            timeout: seconds to wait for other connections.

        Raises:
            RetryableError: the database is locked, its disk is full, or it cannot be used.
        """
        deadline = monotonic() + timeout
        while not self._lock.was_writing:
            with suppress(BeginAgainError), self._writing(deadline - monotonic()) as connection:
                # A signal handler may have interrupted a batch, of which this one becomes a part.
                yields = never if connection.in_transaction else self._lock.yields
                with self._transaction(connection):
                    return insert_rows(connection, rows, yields)
        return store_elsewhere(self._path, rows, deadline - monotonic())

    def save_event_type(self, record: EventType) -> None:
        """Store an event-type record, unless its id is already stored.

        Raises:
            RetryableError: the database is locked, its disk is full, or it cannot be used.
        """
        if self._lock.was_writing:
            raise RetryableError("this process was forked in the middle of a transaction")
        with self._writing(self._busy_timeout) as connection, self._transaction(connection):
            insert(connection, record)

    def written_files(self) -> list[Path]:
        """Return the database, which need not exist yet."""
        return [self._path]

    def flush(self, timeout: float) -> bool:
        """Wait for other threads that are storing events; return whether they finish in time."""
        with self._lock.hold(timeout) as acquired:
            return acquired

    def shutdown(self, timeout: float) -> bool:
        """Close the connection; the next event reopens it.

        Args:
            timeout: seconds to wait for other threads that are storing events.

        Returns:
            Whether they finished in time.
        """
        with self._lock.hold(timeout) as acquired:
            if acquired:
                self._close()
            return acquired

    @contextmanager
    def _writing(self, timeout: float) -> Iterator[sqlite3.Connection]:
        """Yield the connection, which waits for others at most until the time is up."""
        deadline = monotonic() + timeout
        with self._lock.hold(timeout) as acquired:
            if not acquired:
                raise RetryableError("another thread did not finish in time")
            try:
                connection = self._opened(deadline - monotonic())
                self._wait(connection, deadline - monotonic())
                yield connection
            except sqlite3.Error as error:
                if is_broken(error):
                    self._close()
                raise failure(error) from error

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        if connection.in_transaction:  # of the batch that a signal handler interrupted
            yield
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            with self._lock.writing():
                yield
                connection.commit()
        except BaseException:
            connection.rollback()
            raise

    def _opened(self, timeout: float) -> sqlite3.Connection:
        if self._connection is not None:
            is_own = self._owner == os.getpid() and self._file == _file(self._path)
            if is_own and self._descriptors is not None and self._descriptors.are_open():
                return self._connection
            self._close()  # inherited from the parent, or its file was removed, replaced or closed
        if self._lost is not None and not (self._lost.restore() or self._lost.has_index()):
            raise RetryableError(
                "the program closed the descriptors of the database and reuses their numbers"
            )
        before = numbers()
        with high_numbers():
            self._connection = open_for_writing(
                self._path,
                synchronous=self._synchronous,
                busy_timeout=min(max(timeout, 0.0), DAY),
                writing=self._lock.writing,
            )
        self._descriptors = Descriptors(self._path, before)
        self._owner = os.getpid()
        self._file = _file(self._path)
        self._waits = 0
        self._lost = None
        if not lock_inherited(self._path):
            self._lock.refuse()
            self._close()
            raise BeginAgainError
        return self._connection

    def _wait(self, connection: sqlite3.Connection, timeout: float) -> None:
        milliseconds = ceil(min(max(timeout, 0.0), DAY) * 1000)
        if milliseconds != self._waits:
            connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
            self._waits = milliseconds

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        descriptors, self._descriptors = self._descriptors, None
        is_whole = descriptors is None or descriptors.restore()
        if self._owner != os.getpid() or not is_whole:
            _leave_open(connection)  # closing it would touch files that the parent or others use
            self._lost = descriptors
            return
        with suppress(sqlite3.Error), self._lock.writing():  # it may write what is in the log
            connection.close()


def _leave_open(connection: sqlite3.Connection) -> None:
    """Never close a connection, also not at the end of the process."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def _file(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _row(event: Event) -> Row:
    try:
        return row(*encode_with_columns(event))
    except Exception as error:
        raise unencodable(error) from error
