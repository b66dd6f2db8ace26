"""Delivery of the outbox: rows that were committed go through the ordinary delivery."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from hashlib import sha256
from math import inf
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Final

from django.db import connections, transaction
from django.utils import timezone

from eventtracking_core import Tracker, get_tracker
from eventtracking_core.delivery import BufferedLeaf
from eventtracking_core.delivery import DeadLetter as Letter
from eventtracking_core.routing import Leaf
from eventtracking_django.models import MAX_NAME, DeadLetter, OutboxEvent
from eventtracking_django.router import nodes_below
from eventtracking_django.writing import OutboxRouter

__all__ = ["BusyError", "NotDeliveredError", "deliver", "outboxes", "prune"]

BATCH_SIZE: Final = 500
_FLUSH: Final = 1.0
"""Seconds after which it looks again whether a batch is settled."""


class BusyError(Exception):
    """Another process delivers the outbox, in a database that allows only one."""


class NotDeliveredError(Exception):
    """A batch was not delivered in time; its rows stay."""


def outboxes(tracker: Tracker | None = None) -> list[OutboxRouter]:
    """Return the outboxes in a tracker's tree."""
    return list(nodes_below((tracker or get_tracker()).root, OutboxRouter))


def deliver(
    outbox: OutboxRouter,
    *,
    batch_size: int = BATCH_SIZE,
    timeout: float | None = None,
    stop: Event | None = None,
) -> int:
    """Deliver the oldest rows of an outbox; return how many.

    Several processes may do so at once where the database has `SKIP LOCKED`. A row is removed when
    every backend has delivered its event, or has put it into the dead letters.

    Args:
        outbox: the node.
        batch_size: how many rows to take at most.
        timeout: seconds to wait for the backends; without it, until they have settled the batch.
        stop: when it is set, the backends have `shutdown_timeout` left.

    Raises:
        BusyError: another process delivers, and the database allows only one.
        NotDeliveredError: the backends did not settle the batch; the rows stay.
    """
    alias = outbox.alias
    leaves = list(outbox.leaves())
    sizes = [leaf.options.max_queue_size for leaf in leaves if isinstance(leaf, BufferedLeaf)]
    limit = min(batch_size, *sizes) if sizes else batch_size
    rows = OutboxEvent.objects.using(alias).filter(node=outbox.path, delivered=None)
    guard: AbstractContextManager[None] = _only_deliverer(alias)
    if connections[alias].features.has_select_for_update_skip_locked:
        guard, rows = transaction.atomic(using=alias), rows.select_for_update(skip_locked=True)
    with guard:
        claimed = list(rows[:limit])
        if claimed:
            _settle(outbox, leaves, claimed, _Patience(outbox, timeout, stop))
    return len(claimed)


def prune(outbox: OutboxRouter) -> int:
    """Remove the rows that were delivered longer ago than they are kept; return how many."""
    limit = timezone.now() - timedelta(seconds=outbox.keep)
    rows = OutboxEvent.objects.using(outbox.alias).filter(node=outbox.path, delivered__lt=limit)
    return rows.delete()[0]


class _Patience:
    """How long to wait for the backends."""

    def __init__(self, outbox: OutboxRouter, timeout: float | None, stop: Event | None) -> None:
        self._leaves = list(outbox.leaves())
        self._deadline = inf if timeout is None else monotonic() + timeout
        self._stop = stop

    def ends(self) -> bool:
        if self._stop is not None and self._stop.is_set():
            left = max((leaf.shutdown_timeout for leaf in self._leaves), default=0.0)
            self._deadline, self._stop = min(self._deadline, monotonic() + left), None
        return monotonic() >= self._deadline


def _settle(
    outbox: OutboxRouter, leaves: list[Leaf], rows: list[OutboxEvent], patience: _Patience
) -> None:
    dropped = _dropped(leaves)
    for row in rows:
        _send(outbox, leaves, row)
    while not outbox.flush(_FLUSH):
        if patience.ends():
            raise NotDeliveredError
    if _dropped(leaves) > dropped:
        raise NotDeliveredError
    _move_letters(outbox, leaves)
    done = OutboxEvent.objects.using(outbox.alias).filter(pk__in=[row.pk for row in rows])
    if outbox.keep:
        done.update(delivered=timezone.now())
    else:
        done.delete()


def _send(outbox: OutboxRouter, leaves: list[Leaf], row: OutboxEvent) -> None:
    """Send the event of a row to all backends, or to the one that it is replayed for."""
    try:
        event = row.event
    except ValueError:
        _bury(outbox, row, "the row is no event")
        return
    if not row.backend:
        outbox.release(event)
        return
    found = [leaf for leaf in leaves if isinstance(leaf, BufferedLeaf) and leaf.path == row.backend]
    for leaf in found:
        leaf.deliver(event)
    if not found:
        _bury(outbox, row, "the backend is not configured")


def _move_letters(outbox: OutboxRouter, leaves: list[Leaf]) -> None:
    """Move the dead letters of the backends from this process's files into the table."""
    for leaf in leaves:
        if not isinstance(leaf, BufferedLeaf):
            continue
        for path in leaf.dead_letters.segments():
            with leaf.dead_letters.claimed(path) as is_ours:
                if not is_ours:
                    continue
                rows = [_row(outbox, letter) for letter in leaf.dead_letters.read(path)]
                DeadLetter.objects.using(outbox.alias).bulk_create(rows, ignore_conflicts=True)
                leaf.dead_letters.replace(path, [])


def _row(outbox: OutboxRouter, letter: Letter) -> DeadLetter:
    try:
        event_id, name = letter.event["id"], letter.event["name"]
    except ValueError:
        event_id, name = sha256(letter.wire).hexdigest()[:36], "unreadable"
    return DeadLetter(
        event_id=event_id,
        name=name[:MAX_NAME],
        node=outbox.path,
        wire=letter.wire,
        backend=letter.backend,
        reason=letter.reason,
        error=letter.error,
        attempts=letter.attempts,
        time=letter.time,
    )


def _bury(outbox: OutboxRouter, row: OutboxEvent, error: str) -> None:
    """Make a dead letter of a row that no backend can be given."""
    DeadLetter.objects.using(outbox.alias).get_or_create(
        event_id=row.event_id,
        backend=row.backend or row.node,
        defaults={
            "name": row.name,
            "node": row.node,
            "wire": row.wire,
            "reason": "invalid",
            "error": error,
            "attempts": 0,
            "time": timezone.now(),
        },
    )


def _dropped(leaves: list[Leaf]) -> int:
    return sum(sum(leaf.ledger.dropped_by_reason().values()) for leaf in leaves)


@contextmanager
def _only_deliverer(alias: str) -> Iterator[None]:
    """Hold the lock of the only deliverer of a database, among the processes of this machine."""
    settings = connections[alias].settings_dict
    name = str(settings["NAME"])
    if not Path(name).is_file():  # a server
        place = sha256(repr((settings["HOST"], settings["PORT"], name)).encode()).hexdigest()
        name = f"{tempfile.gettempdir()}/eventtracking-{place[:16]}"
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(f"{name}-outbox.lock", flags, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError from error
        yield
    finally:
        os.close(descriptor)
