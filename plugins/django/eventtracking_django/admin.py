"""Admin pages of the outbox and its dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import transaction
from django.utils.html import format_html

from eventtracking_django.models import DeadLetter, OutboxEvent

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

__all__ = ["DeadLetterAdmin", "OutboxEventAdmin"]


class _StoredEventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows events; they are never changed."""

    search_fields = ("event_id", "name")
    exclude = ("wire",)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Return False: events are emitted."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Return False: events are not changed."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:  # noqa: ARG002
        """Return all fields, and the event."""
        fields = [field.name for field in self.model._meta.fields if field.name != "wire"]  # noqa: SLF001
        return [*fields, "payload"]

    @admin.display(description="event")
    def payload(self, row: OutboxEvent | DeadLetter) -> str:
        """Return the event as text; markup in it is escaped."""
        return format_html("<pre>{}</pre>", row.as_text())


@admin.register(OutboxEvent)
class OutboxEventAdmin(_StoredEventAdmin):
    """The events that wait for delivery."""

    list_display = ("id", "name", "event_id", "node", "created", "delivered")
    list_filter = ("node", "delivered", "created")


@admin.register(DeadLetter)
class DeadLetterAdmin(_StoredEventAdmin):
    """The events that could not be delivered."""

    list_display = ("name", "event_id", "backend", "reason", "attempts", "time")
    list_filter = ("backend", "reason", "time")
    actions = ("replay",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may replay dead letters."""
        user: Any = request.user  # a model of the project's may have permissions of its own
        return bool(user.has_perm("eventtracking.replay_deadletter"))

    @admin.action(description="Deliver selected dead letters again", permissions=["replay"])
    def replay(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        """Put the events back into the outbox."""
        count = 0
        with transaction.atomic(using=letters.db):
            for letter in letters:
                letter.replay()
                count += 1
        self.message_user(request, f"{count} events will be delivered again.", messages.SUCCESS)
