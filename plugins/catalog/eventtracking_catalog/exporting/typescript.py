"""TypeScript: an interface for the data of each event, and a type of all events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from eventtracking_catalog.exporting.fields import Node, tree
from eventtracking_catalog.exporting.naming import class_names
from eventtracking_catalog.model import Catalogue

__all__ = ["exported"]

_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_TYPES: Final = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
    "array": "unknown[]",
    "object": "Record<string, unknown>",
}
_TAKEN: Final = ("Events", "EventName", "Event")
_EVENT: Final = """\
export type EventName = keyof Events;

/** An event, as it stands in the log; of one name, or of any. */
export type Event<Name extends EventName = EventName> = {
  [N in Name]: {
    id: string;
    name: N;
    timestamp: string;
    name_id?: string;
    context_type_id?: string;
    context: Record<string, unknown>;
    data: Events[N];
  };
}[Name];
"""


def exported(catalogue: Catalogue) -> str:
    """Return the module."""
    names = class_names(catalogue.entries, _TAKEN)
    lines: list[str] = []
    for name, class_name in names.items():
        record = catalogue.entries[name].current
        lines += _comment(record.description, record.deprecated, "")
        lines.append(f"export interface {class_name} {{")
        lines += _fields(tree(record.fields), "  ")
        lines += ["}", ""]
    lines.append("/** The data of each event, by its name, for `new Tracker<Events>(…)`. */")
    lines.append("export interface Events {")
    lines += [f"  {json.dumps(name)}: {class_name};" for name, class_name in names.items()]
    lines += ["}", "", _EVENT]
    return "\n".join(lines)


def _fields(fields: Mapping[str, Node], indent: str) -> Iterator[str]:
    for name, node in fields.items():
        yield from _comment(node.doc.description, None, indent)
        key = name if _IDENTIFIER.fullmatch(name) else json.dumps(name)
        mark = "" if node.doc.required else "?"
        yield f"{indent}{key}{mark}: {_type(node, indent)};"


def _type(node: Node, indent: str) -> str:
    if node.doc.enum:
        return " | ".join(json.dumps(value) for value in node.doc.enum)
    if not node.kinds:
        return "unknown"
    return " | ".join(dict.fromkeys(_one(kind, node, indent) for kind in node.kinds))


def _one(kind: str, node: Node, indent: str) -> str:
    if kind not in {"object", "array"} or not node.fields:
        return _TYPES.get(kind, "unknown")
    inner = "\n".join(_fields(node.fields, f"{indent}  "))
    items = "[]" if kind == "array" else ""
    return f"{{\n{inner}\n{indent}}}{items}"


def _comment(text: str, deprecated: str | None, indent: str) -> Iterator[str]:
    lines = text.split("\n") if text else []
    if deprecated:
        lines.append(f"@deprecated {deprecated}")
    lines = [line.strip().replace("*/", "*\\/") for line in lines]
    if len(lines) == 1:
        yield f"{indent}/** {lines[0]} */"
    elif lines:
        yield f"{indent}/**"
        yield from (f"{indent} * {line}".rstrip() for line in lines)
        yield f"{indent} */"
