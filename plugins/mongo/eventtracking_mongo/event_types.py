"""Records of event types, as documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from eventtracking_core import EventType
from eventtracking_core.encoding import normalize

__all__ = ["event_type", "event_type_document"]


def event_type_document(record: EventType) -> dict[str, Any]:
    """Return a record's document: what can be searched for, and the whole as JSON.

    In JSON, since keys of a JSON Schema such as `$ref` are no names that every server allows.
    """
    whole = record.to_dict()
    searched = ("kind", "name", "description", "fields", "context_fields", "owner", "tags")
    document = {"_id": record.id, **normalize({key: whole.get(key) for key in searched})}
    document["registered_at"] = datetime.fromisoformat(whole["registered_at"])
    document["record"] = json.dumps(whole)
    return document


def event_type(document: Mapping[str, Any]) -> EventType:
    """Return the record that a document holds."""
    return EventType.from_dict(json.loads(document["record"]))
