"""Event-type records as MongoDB documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from eventtracking_core import EventType
from eventtracking_core.encoding import normalize

__all__ = ["event_type", "event_type_document"]


def event_type_document(record: EventType) -> dict[str, Any]:
    """Return a record's document: searchable fields, and the complete record as JSON.

    It is JSON because some servers don't allow field names such as JSON Schema's `$ref`.
    """
    complete = record.to_dict()
    searchable = ("kind", "name", "description", "fields", "context_fields", "owner", "tags")
    document = {"_id": record.id, **normalize({key: complete.get(key) for key in searchable})}
    document["registered_at"] = datetime.fromisoformat(complete["registered_at"])
    document["record"] = json.dumps(complete)
    return document


def event_type(document: Mapping[str, Any]) -> EventType:
    """Return the record in a document."""
    return EventType.from_dict(json.loads(document["record"]))
