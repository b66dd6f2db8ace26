"""EventCatalog (eventcatalog.dev): a directory for each event, with a page and a schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from eventtracking_catalog.exporting.jsonschema import DIALECT, schema_of
from eventtracking_catalog.exporting.markdown import code, escaped, table
from eventtracking_catalog.exporting.naming import class_names
from eventtracking_catalog.model import Catalogue, Entry

__all__ = ["exported"]


def exported(catalogue: Catalogue) -> Mapping[str, str]:
    """Return the files of its directory `events`, by path."""
    found = {}
    for name, key in class_names(catalogue.entries).items():
        entry = catalogue.entries[name]
        schema = {"$schema": DIALECT, **schema_of(entry.current)}
        found[f"events/{key}/index.mdx"] = _page(key, entry)
        found[f"events/{key}/schema.json"] = json.dumps(schema, indent=2) + "\n"
    return found


def _page(key: str, entry: Entry) -> str:
    record = entry.current
    head: dict[str, Any] = {
        "id": key,
        "name": entry.name,
        "version": f"{max(1, len(entry.versions))}.0.0",
        "summary": record.description.partition("\n")[0],
        "schemaPath": "schema.json",
    }
    if record.tags:
        head["badges"] = [{"content": tag, "backgroundColor": "blue"} for tag in record.tags]
    if record.deprecated:
        head["deprecated"] = {"message": record.deprecated}
    # JSON is YAML, so whatever stands in a value stays a value.
    lines = ["---", *(f"{key}: {json.dumps(value)}" for key, value in head.items()), "---", ""]
    if record.description:
        lines += [escaped(record.description), ""]
    if record.owner:
        lines += [f"Owner: {escaped(record.owner)}", ""]
    lines += ["## Fields", "", *table(record.fields)]
    if entry.emitters:
        lines += ["## Emitted by", ""]
        lines += [f"- {code(f'{place.path}:{place.line}')}" for place in entry.emitters]
        lines += [""]
    lines += ['<SchemaViewer file="schema.json" title="Schema" />', ""]
    return "\n".join(lines)
