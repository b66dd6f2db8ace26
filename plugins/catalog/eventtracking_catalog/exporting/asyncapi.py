"""AsyncAPI 3.1: each event type a message on a channel of its own."""

from __future__ import annotations

import json
from typing import Any, Final

from eventtracking_catalog.exporting.jsonschema import envelope, schema_of
from eventtracking_catalog.exporting.naming import class_names
from eventtracking_catalog.model import Catalogue, Entry
from eventtracking_core.registry import EventType

__all__ = ["exported"]

VERSION: Final = "3.1.0"


def exported(catalogue: Catalogue) -> str:
    """Return the document, as JSON."""
    keys = class_names(catalogue.entries, ["Event"])
    entries = [(keys[name], entry) for name, entry in catalogue.entries.items()]
    document: dict[str, Any] = {
        "asyncapi": VERSION,
        "info": {
            "title": "Events",
            "version": "1.0.0",
            "description": "The events of an application, as they stand in its log.",
        },
        "defaultContentType": "application/json",
        "channels": {key: _channel(key, entry) for key, entry in entries},
        "operations": {f"emit{key}": _operation(key, entry) for key, entry in entries},
        "components": {
            "messages": {key: _message(key, entry) for key, entry in entries},
            "schemas": {
                "Event": envelope(),
                **{key: schema_of(e.current, f"#/components/schemas/{key}") for key, e in entries},
            },
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _channel(key: str, entry: Entry) -> dict[str, Any]:
    return {
        "address": entry.name,
        "messages": {key: {"$ref": f"#/components/messages/{key}"}},
    }


def _operation(key: str, entry: Entry) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{key}"},
        "summary": f"{entry.name} is emitted.",
        "messages": [{"$ref": f"#/channels/{key}/messages/{key}"}],
    }


def _message(key: str, entry: Entry) -> dict[str, Any]:
    record = entry.current
    own: dict[str, Any] = {
        "name": {"const": entry.name},
        "data": {"$ref": f"#/components/schemas/{key}"},
    }
    if record.context_fields:
        context = EventType(kind="context", name="context", fields=record.context_fields)
        own["context"] = schema_of(context)
    message: dict[str, Any] = {
        "name": entry.name,
        "title": entry.name,
        "contentType": "application/json",
        "payload": {
            "allOf": [{"$ref": "#/components/schemas/Event"}, {"properties": own}],
        },
    }
    if record.description:
        message["summary"] = record.description.partition("\n")[0]
        message["description"] = record.description
    tags = [*record.tags, *(["deprecated"] if record.deprecated else [])]
    if tags:
        message["tags"] = [{"name": tag} for tag in dict.fromkeys(tags)]
    if record.owner:
        message["x-owner"] = record.owner
    if record.deprecated:
        message["x-deprecated"] = record.deprecated
    return message
