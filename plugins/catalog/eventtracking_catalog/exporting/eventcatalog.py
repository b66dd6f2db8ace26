"""EventCatalog (eventcatalog.dev): a directory for each event, with a page and a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from eventtracking_catalog.exporting.jsonschema import DIALECT, schema_of
from eventtracking_catalog.exporting.markdown import code, escaped, table
from eventtracking_catalog.exporting.naming import class_names
from eventtracking_catalog.model import Catalogue, Entry

__all__ = ["exported"]

UNOWNED: Final = "unowned"
"""The team of event types without an owner: EventCatalog wants one for each."""

_WORD: Final = re.compile("[a-z0-9]+")


def exported(catalogue: Catalogue) -> Mapping[str, str]:
    """Return the files of its directories `events` and `teams`, by path."""
    files = {}
    teams: dict[str, str] = {}
    for name, key in class_names(catalogue.entries).items():
        entry = catalogue.entries[name]
        schema = {"$schema": DIALECT, **schema_of(entry.current)}
        team = _id(entry.current.owner or "") or UNOWNED
        teams.setdefault(team, entry.current.owner or "Unowned")
        files[f"events/{key}/index.mdx"] = _page(key, entry, team)
        files[f"events/{key}/schema.json"] = json.dumps(schema, indent=2) + "\n"
    for team, name in teams.items():
        summary = "Owns event types." if team != UNOWNED else "Event types that have no owner yet."
        head = {"id": team, "name": name, "summary": summary}
        files[f"teams/{team}.mdx"] = f"{_front(head)}\n{summary}\n"
    return files


def _id(owner: str) -> str:
    return "-".join(_WORD.findall(owner.lower()))


def _front(head: Mapping[str, Any]) -> str:
    # JSON is YAML, so whatever stands in a value stays a value.
    lines = ["---", *(f"{key}: {json.dumps(value)}" for key, value in head.items()), "---", ""]
    return "\n".join(lines)


def _page(key: str, entry: Entry, team: str) -> str:
    record = entry.current
    head: dict[str, Any] = {
        "id": key,
        "name": entry.name,
        "version": f"{max(1, len(entry.versions))}.0.0",
        "summary": record.description.partition("\n")[0] or "Not documented yet.",
        "owners": [team],
        "schemaPath": "schema.json",
    }
    if record.tags:
        head["badges"] = [{"content": tag, "backgroundColor": "blue"} for tag in record.tags]
    if record.deprecated:
        head["deprecated"] = {"message": record.deprecated}
    lines = [_front(head)]
    if record.description:
        lines += [escaped(record.description), ""]
    lines += ["## Fields", "", *table(record.fields)]
    if entry.emitters:
        lines += ["## Emitted by", ""]
        lines += [f"- {code(f'{place.path}:{place.line}')}" for place in entry.emitters]
        lines += [""]
    lines += ['<SchemaViewer file="schema.json" title="Schema" />', ""]
    return "\n".join(lines)
