"""The tables of the outbox: events that wait for delivery, and those that cannot be delivered."""

from __future__ import annotations

import json
from datetime import datetime
from typing import ClassVar

from django.db import models

from eventtracking_core import Event
from eventtracking_core.encoding import decode_msgpack, encode_json

__all__ = ["DeadLetter", "OutboxEvent"]

MAX_NAME = 255
MAX_PATH = 255


class _StoredEvent(models.Model):
    """An event in the form in which queues and spools hold it."""

    event_id: models.CharField[str, str] = models.CharField(max_length=36)
    name: models.CharField[str, str] = models.CharField(max_length=MAX_NAME)
    node: models.CharField[str, str] = models.CharField(
        max_length=MAX_PATH, help_text="The outbox, by its path in the tree."
    )
    wire: models.BinaryField[bytes, bytes] = models.BinaryField()

    class Meta:
        """A base class."""

        abstract = True

    def __str__(self) -> str:
        return f"{self.name} {self.event_id}"

    @property
    def event(self) -> Event:
        """The event.

        Raises:
            ValueError: its bytes are no event.
        """
        return decode_msgpack(bytes(self.wire))

    def as_text(self) -> str:
        """Return the event as indented JSON."""
        try:
            return json.dumps(json.loads(encode_json(self.event)), indent=2, ensure_ascii=False)
        except ValueError:
            return "unreadable"


class OutboxEvent(_StoredEvent):
    """An event that was committed with the data of its transaction."""

    backend: models.CharField[str, str] = models.CharField(
        max_length=MAX_PATH, blank=True, help_text="Only this backend, for a replay; else all."
    )
    created: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)
    delivered: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        null=True, blank=True
    )

    class Meta:
        """Order, names and indexes."""

        ordering: ClassVar[list[str]] = ["id"]
        verbose_name = "outbox event"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["node", "delivered", "id"], name="eventtracking_outboxevent_due")
        ]


class DeadLetter(_StoredEvent):
    """An event that a backend of the outbox can never be given."""

    backend: models.CharField[str, str] = models.CharField(
        max_length=MAX_PATH, help_text="By its path in the tree."
    )
    reason: models.CharField[str, str] = models.CharField(max_length=32)
    error: models.TextField[str, str] = models.TextField()
    attempts: models.PositiveIntegerField[int, int] = models.PositiveIntegerField()
    time: models.DateTimeField[datetime, datetime] = models.DateTimeField()

    class Meta:
        """Order, names and indexes."""

        ordering: ClassVar[list[str]] = ["-time"]
        verbose_name = "dead letter"
        permissions: ClassVar[list[tuple[str, str]]] = [
            ("replay_deadletter", "Can replay dead letters")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["event_id", "backend"], name="eventtracking_letter")
        ]

    def replay(self) -> None:
        """Put the event back into the outbox, for its backend alone, and remove the letter."""
        alias = self._state.db
        OutboxEvent.objects.using(alias).create(
            event_id=self.event_id,
            name=self.name,
            node=self.node,
            wire=self.wire,
            backend=self.backend,
        )
        self.delete()
