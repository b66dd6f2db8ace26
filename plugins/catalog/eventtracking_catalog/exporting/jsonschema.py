"""JSON Schema 2020-12, of each event's data and of all events together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote

from eventtracking_catalog.model import Catalogue
from eventtracking_core.registry import EventType, json_schema

__all__ = ["DIALECT", "envelope", "exported", "schema_of"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def exported(catalogue: Catalogue) -> str:
    """Return a schema that any event is checked with: by its name, it finds that of its data."""
    definitions = {
        name: schema_of(entry.current, f"#/$defs/{_pointer(name)}")
        for name, entry in catalogue.entries.items()
    }
    whole = {
        "$schema": DIALECT,
        **envelope(),
        "title": "Events",
        "allOf": [
            {
                "if": {"properties": {"name": {"const": name}}},
                "then": {"properties": {"data": {"$ref": f"#/$defs/{_pointer(name)}"}}},
            }
            for name in definitions
        ],
        "$defs": definitions,
    }
    if not definitions:
        del whole["allOf"]
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _pointer(name: str) -> str:
    return quote(name.replace("~", "~0").replace("/", "~1"), safe="~")


def envelope() -> dict[str, Any]:
    """Return the schema of what every event has, as a part of a document."""
    text = files("eventtracking_core").joinpath("event.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return {key: value for key, value in schema.items() if not key.startswith("$")}


def schema_of(record: EventType, at: str = "#") -> dict[str, Any]:
    """Return the schema of what a record describes, as a part of a document.

    Args:
        record: of an event type or of a context.
        at: where the schema will stand in its document, for references within it.
    """
    schema: dict[str, Any] = _moved(json_schema(record), at)
    schema.pop("$schema", None)
    if record.examples:
        schema.setdefault("examples", [dict(example) for example in record.examples])
    return schema


def _moved(schema: Any, at: str) -> Any:
    """Return a schema whose references to itself still find what they mean."""
    if isinstance(schema, Mapping):
        return {
            key: f"{at}{value[1:]}"
            if key == "$ref" and isinstance(value, str) and value.startswith("#")
            else _moved(value, at)
            for key, value in schema.items()
        }
    return [_moved(item, at) for item in schema] if isinstance(schema, list) else schema
