"""The table of the outbox, as deliverers see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from hashlib import sha256

from django.db import DatabaseError, close_old_connections, connections, transaction
from django.utils import timezone

from eventtracking_core import Event, Tracker, get_tracker
from eventtracking_core.delivery import BatchLeaf
from eventtracking_core.delivery import DeadLetter as Letter
from eventtracking_core.outbox import Table, nodes_below, only_deliverer
from eventtracking_core.routing import Leaf
from eventtracking_django.models import MAX_NAME, DeadLetter, OutboxEvent
from eventtracking_django.writing import OutboxRouter

__all__ = ["OutboxTable", "tables"]


def tables(tracker: Tracker | None = None) -> list[OutboxTable]:
    """Return the outboxes in a tracker's tree; the default tracker's if not given."""
    return [
        OutboxTable(outbox) for outbox in nodes_below((tracker or get_tracker()).root, OutboxRouter)
    ]


class OutboxTable(Table[OutboxEvent]):
    """The rows of one outbox.

    Args:
        outbox: the node.
    """

    def __init__(self, outbox: OutboxRouter) -> None:
        super().__init__(outbox, outbox.keep)
        self._path = outbox.path
        self.alias = outbox.alias

    @contextmanager
    def claim(self, limit: int) -> Iterator[Sequence[OutboxEvent]]:
        """Return the oldest rows; the others' are skipped where the database can lock rows."""
        close_old_connections()
        rows = OutboxEvent.objects.using(self.alias).filter(node=self._path, delivered=None)
        if connections[self.alias].features.has_select_for_update_skip_locked:
            with transaction.atomic(using=self.alias):
                yield list(rows.select_for_update(skip_locked=True)[:limit])
            return
        settings = connections[self.alias].settings_dict
        name = str(settings["NAME"])
        with only_deliverer(name, repr((settings["HOST"], settings["PORT"], name))):
            yield list(rows[:limit])

    def read(self, row: OutboxEvent) -> tuple[Event, str]:
        """Return the event of a row, and the only backend that gets it."""
        return row.event, row.backend

    def bury(self, row: OutboxEvent, error: str) -> None:
        """Make a dead letter of a row that no backend can be given."""
        DeadLetter.objects.using(self.alias).get_or_create(
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

    def delivered(self, rows: Sequence[OutboxEvent], leaves: Sequence[Leaf]) -> None:
        """Move dead letters into their table; then remove the rows, or mark them."""
        for leaf in leaves:
            if isinstance(leaf, BatchLeaf):
                self._move_letters(leaf)
        done = OutboxEvent.objects.using(self.alias).filter(pk__in=[row.pk for row in rows])
        if self.keep:
            done.update(delivered=timezone.now())
        else:
            done.delete()

    def explain(self, error: Exception) -> str:
        """Return what is wrong with the database, and what to do."""
        with suppress(DatabaseError):
            tables = connections[self.alias].introspection.table_names()
            if OutboxEvent._meta.db_table not in tables:  # noqa: SLF001  Django documents it
                return f"its table is missing in the database {self.alias}: run manage.py migrate"
        return f"the database {self.alias} answered with {type(error).__name__}"

    def prune(self) -> int:
        """Remove the rows that were delivered longer ago than they are kept; return how many."""
        limit = timezone.now() - timedelta(seconds=self.keep)
        rows = OutboxEvent.objects.using(self.alias)
        return rows.filter(node=self._path, delivered__lt=limit).delete()[0]

    def _move_letters(self, leaf: BatchLeaf) -> None:
        """Move the dead letters of a backend from this process's files into the table."""
        for path in leaf.dead_letters.segments():
            with leaf.dead_letters.claimed(path) as is_ours:
                if not is_ours:
                    continue
                rows = [self._row(letter) for letter in leaf.dead_letters.read(path)]
                DeadLetter.objects.using(self.alias).bulk_create(rows, ignore_conflicts=True)
                leaf.dead_letters.replace(path, [])

    def _row(self, letter: Letter) -> DeadLetter:
        try:
            event_id, name = letter.event["id"], letter.event["name"]
        except ValueError:
            event_id, name = sha256(letter.wire).hexdigest()[:36], "unreadable"
        return DeadLetter(
            event_id=event_id,
            name=name[:MAX_NAME],
            node=self._path,
            wire=letter.wire,
            backend=letter.backend,
            reason=letter.reason,
            error=letter.error,
            attempts=letter.attempts,
            time=letter.time,
        )
