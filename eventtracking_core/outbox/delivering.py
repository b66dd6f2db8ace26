"""Delivery of an outbox: rows that were committed go through the ordinary delivery."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from math import inf
from pathlib import Path
from tempfile import gettempdir
from threading import Event as Flag
from time import monotonic
from typing import Final, Generic, TypeVar

from eventtracking_core.delivery import BatchLeaf
from eventtracking_core.events import Event
from eventtracking_core.files.descriptors import descriptor_of
from eventtracking_core.files.locks import lock
from eventtracking_core.outbox.nodes import DeferringRouter
from eventtracking_core.routing import Leaf

__all__ = [
    "BATCH_SIZE",
    "BusyError",
    "NotDeliveredError",
    "Table",
    "deliver",
    "only_deliverer",
]

BATCH_SIZE: Final = 500
_FLUSH: Final = 1.0
"""Seconds between two looks at whether a batch is delivered."""


class BusyError(Exception):
    """Another process delivers the outbox, in a database that allows only one."""


class NotDeliveredError(Exception):
    """A batch was not delivered in time; its rows stay."""


R = TypeVar("R")
"""A row of an outbox."""


class Table(ABC, Generic[R]):
    """The rows of one outbox.

    Args:
        outbox: the node of the routing tree.
        keep: seconds that delivered rows are kept; they are removed at once if 0.
    """

    def __init__(self, outbox: DeferringRouter, keep: float) -> None:
        self.outbox = outbox
        self.keep = keep

    @abstractmethod
    def claim(self, limit: int) -> AbstractContextManager[Sequence[R]]:
        """Return the oldest rows, which no other deliverer gets within the block.

        Raises:
            BusyError: another process delivers, and the database allows only one.
        """

    @abstractmethod
    def read(self, row: R) -> tuple[Event, str]:
        """Return the event of a row, and the path of its only backend; empty for all backends.

        Raises:
            ValueError: the row is no event.
        """

    @abstractmethod
    def bury(self, row: R, error: str) -> None:
        """Set a row aside that no backend can be given."""

    @abstractmethod
    def delivered(self, rows: Sequence[R], leaves: Sequence[Leaf]) -> None:
        """Remove rows, or mark them; the backends have delivered or dead-lettered their events."""

    @abstractmethod
    def explain(self, error: Exception) -> str:
        """Return what is wrong with the database, and what to do; no value of an event."""

    @abstractmethod
    def prune(self) -> int:
        """Remove the rows that were delivered longer ago than they are kept; return how many."""


def deliver(
    table: Table[R],
    *,
    batch_size: int = BATCH_SIZE,
    timeout: float | None = None,
    stop: Flag | None = None,
) -> int:
    """Deliver the oldest rows of an outbox; return how many.

    Several processes may do so at once where the database has `SKIP LOCKED`. A row is removed when
    every backend has delivered its event, or has put it into the dead letters.

    Args:
        table: the outbox.
        batch_size: maximum number of rows.
        timeout: seconds to wait for the backends; without it, until they have the batch.
        stop: when it is set, the backends have `shutdown_timeout` left.

    Raises:
        BusyError: another process delivers, and the database allows only one.
        NotDeliveredError: the backends did not take the batch; the rows stay.
    """
    leaves = table.outbox.leaves()
    sizes = [leaf.options.max_queue_size for leaf in leaves if isinstance(leaf, BatchLeaf)]
    with table.claim(min(batch_size, *sizes) if sizes else batch_size) as rows:
        if not rows:
            return 0
        dropped = _dropped(leaves)
        for row in rows:
            _send(table, leaves, row)
        deadline = inf if timeout is None else monotonic() + timeout
        while not table.outbox.flush(_FLUSH):
            if stop is not None and stop.is_set():
                left = max((leaf.shutdown_timeout for leaf in leaves), default=0.0)
                deadline, stop = min(deadline, monotonic() + left), None
            if monotonic() >= deadline:
                raise NotDeliveredError
        if _dropped(leaves) > dropped:
            raise NotDeliveredError
        table.delivered(rows, leaves)
        return len(rows)


def _send(table: Table[R], leaves: Sequence[Leaf], row: R) -> None:
    """Send the event of a row to all backends, or to the one that it is replayed for."""
    try:
        event, backend = table.read(row)
    except ValueError:
        table.bury(row, "the row is no event")
        return
    if not backend:
        table.outbox.release(event)
        return
    matching = [leaf for leaf in leaves if isinstance(leaf, BatchLeaf) and leaf.path == backend]
    for leaf in matching:
        leaf.deliver(event)
    if not matching:
        table.bury(row, "the backend is not configured")


def _dropped(leaves: Sequence[Leaf]) -> int:
    return sum(sum(leaf.ledger.dropped_by_reason().values()) for leaf in leaves)


@contextmanager
def only_deliverer(database: str, place: str) -> Iterator[None]:
    """Hold the lock of the only deliverer of a database, among the processes of this machine.

    Args:
        database: its file, beside which the lock is; or the name of one on a server.
        place: names the server and the database, if it is no file.

    Raises:
        BusyError: another process holds it.
    """
    if not Path(database).is_file():
        digest = sha256(place.encode()).hexdigest()
        database = f"{gettempdir()}/eventtracking-{digest[:16]}"
    path = f"{database}-outbox.lock"
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    with descriptor_of(path, flags) as descriptor:
        try:
            lock(descriptor)
        except OSError as error:
            raise BusyError from error
        yield
