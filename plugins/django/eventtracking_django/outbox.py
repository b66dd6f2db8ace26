"""The outbox: an event is a row that is written in the transaction of its data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS

from eventtracking_core import Seconds
from eventtracking_core.routing import CompositeParts
from eventtracking_django.transactions import check_alias

if TYPE_CHECKING:
    from eventtracking_django.writing import OutboxRouter

__all__ = ["Outbox"]


class Outbox:
    """Writes events into a table, in the transaction that is open.

    `manage.py eventtracking deliver` brings committed events to the backends, at least once. The
    delivery of its backends is a queue unless it is configured.

    Args:
        using: the alias of the database; the default one if not given.
        keep: seconds that delivered rows are kept; they are removed at once if 0.

    Raises:
        ValueError: there is no such database.
    """

    local_delivery: ClassVar[Mapping[str, str]] = {"mode": "queue"}

    def __init__(self, using: str | None = None, keep: Seconds = 0.0) -> None:
        check_alias(using)
        self._alias = using or DEFAULT_DB_ALIAS
        self._keep = keep

    def build_node(self, parts: CompositeParts) -> OutboxRouter:
        """Return the node.

        Raises:
            ValueError: Django does not have the table's model.
        """
        if not apps.models_ready:
            raise ValueError("set DJANGO_SETTINGS_MODULE, and call django.setup() first")
        if not apps.is_installed("eventtracking_django"):
            raise ValueError('add "eventtracking_django" to INSTALLED_APPS')
        from eventtracking_django.writing import OutboxRouter  # noqa: PLC0415  has the models

        return OutboxRouter(parts, self._alias, self._keep)
