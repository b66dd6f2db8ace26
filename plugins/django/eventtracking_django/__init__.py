"""Event tracking in Django: settings, the context of a request, transactions, and an outbox."""

from __future__ import annotations

from eventtracking_django.tracker import DjangoTracker, emit

__all__ = ["DjangoTracker", "emit"]
