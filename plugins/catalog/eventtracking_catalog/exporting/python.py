"""Python: a module of typed events."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from pprint import pformat
from textwrap import indent
from typing import Final

from eventtracking_catalog.exporting.fields import Node, tree
from eventtracking_catalog.exporting.naming import class_names, pascal
from eventtracking_catalog.model import Catalogue
from eventtracking_core.registry import EventType, FieldDoc, fields_of_schema

__all__ = ["exported", "module"]

_TYPES: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "array": "list[Any]",
    "object": "dict[str, Any]",
}
_TYPING: Final = ("Annotated", "Any", "Literal")
_OURS: Final = ("PII", "Doc", "FieldDoc", "event", "register")
_WIDTH: Final = 84
_HIDING: Final = frozenset({*_TYPING, *_OURS, "bool", "dict", "float", "int", "list", "str"})


def exported(catalogue: Catalogue) -> str:
    """Return the module of all event types of a catalogue."""
    records = [entry.current for entry in catalogue.entries.values()]
    return module(records, "Event types.")


def module(records: Iterable[EventType], about: str, *, blanks: bool = False) -> str:
    """Return a module that registers event types.

    An event that no class can declare is registered by a call: one whose fields have names that no
    attribute can have, one with a schema, one whose context is documented.

    Args:
        records: the event types.
        about: the module's docstring.
        blanks: give each field a place for its description, also where it has none.
    """
    by_name = {record.name: record for record in records}
    names = class_names(by_name, (*_TYPING, *_OURS))
    writer = _Writer(blanks=blanks, used={*names.values(), *_TYPING, *_OURS})
    body = "\n\n\n".join(
        writer.typed(record, names[name]) if _is_class(record) else _registered(record)
        for name, record in by_name.items()
    )
    head = [_docstring(about, ""), "", "from __future__ import annotations", ""]
    if typing := [name for name in _TYPING if re.search(rf"\b{name}\b", body)]:
        head += [f"from typing import {', '.join(typing)}", ""]
    if ours := [name for name in _OURS if re.search(rf"(?<!\.)\b{name}\(", body)]:
        head.append(f"from eventtracking_core import {', '.join(ours)}")
    return "\n".join(head).rstrip("\n") + f"\n\n\n{body}\n"


def _is_class(record: EventType) -> bool:
    """Return whether a class says all that a record does."""
    plain = record.schema is None and not record.context_fields
    return plain and all(map(_is_attribute, tree(record.fields)))


def _is_attribute(name: str) -> bool:
    """Return whether a field can be an attribute: its value must not hide what annotations name."""
    if name.startswith("_") or keyword.iskeyword(name) or name in _HIDING:
        return False
    return name.isidentifier() and name.isascii()


class _Writer:
    """Writes classes, those of nested objects before the ones that have them.

    Args:
        blanks: give each field a place for its description.
        taken: names of classes; those of nested objects are added.
    """

    def __init__(self, *, blanks: bool, used: set[str]) -> None:
        self._blanks = blanks
        self._used = used

    def typed(self, record: EventType, class_name: str) -> str:
        """Return the class of an event, and those of its objects before it."""
        arguments = [_text(record.name), *_arguments(record)]
        inner: list[str] = []
        whole = self._class(class_name, record.description, tree(record.fields), inner)
        return "\n\n\n".join([*inner, f"@event({', '.join(arguments)})\n{whole}"])

    def _class(
        self, name: str, description: str, fields: Mapping[str, Node], inner: list[str]
    ) -> str:
        ordered = sorted(fields.items(), key=lambda field: not field[1].doc.required)
        parts = [_docstring(description, "    ")] if description else []
        attributes = [self._attribute(name, key, node, inner) for key, node in ordered]
        if attributes:
            parts.append("\n".join(attributes))
        return f"class {name}:\n" + ("\n\n".join(parts) or "    pass")

    def _attribute(self, owner: str, name: str, node: Node, inner: list[str]) -> str:
        kinds = self._kinds(owner, name, node, inner)
        if not node.doc.required and "None" not in kinds and kinds != ["Any"]:
            kinds.append("None")
        hint = " | ".join(kinds)
        notes = []
        if node.doc.description or self._blanks:
            notes.append(f"Doc({_text(node.doc.description)})")
        if node.doc.pii:
            notes.append(f"PII({_text(node.doc.pii)})")
        if notes:
            hint = f"Annotated[{', '.join([hint, *notes])}]"
        default = "" if node.doc.required else " = None"
        return f"    {name}: {hint}{default}"

    def _kinds(self, owner: str, name: str, node: Node, inner: list[str]) -> list[str]:
        if node.doc.enum:
            return [f"Literal[{', '.join(_literal(value) for value in node.doc.enum)}]"]
        if not node.kinds:
            return ["Any"]
        kinds = [_TYPES.get(kind, "Any") for kind in node.kinds]
        if node.fields and all(map(_is_attribute, node.fields)):
            nested = self._free(f"{owner}{pascal(name)}")
            inner.append("@event()\n" + self._class(nested, "", node.fields, inner))
            as_items = {"object": nested, "array": f"list[{nested}]"}
            if "object" in node.kinds:
                del as_items["array"]
            kinds = [as_items.get(kind, _TYPES.get(kind, "Any")) for kind in node.kinds]
        return kinds

    def _free(self, name: str) -> str:
        free, number = name, 2
        while free in self._used:
            free, number = f"{name}{number}", number + 1
        self._used.add(free)
        return free


def _registered(record: EventType) -> str:
    """Return the call that registers an event type."""
    lines = ["register(", f"    {_text(record.name)},", f"    {_text(record.description)},"]
    if record.schema is not None:
        of_schema = {doc.name: doc.to_dict() for doc in fields_of_schema(record.schema)}
        own = [doc for doc in record.fields if doc.to_dict() != of_schema.get(doc.name)]
        schema = pformat(dict(record.schema), width=_WIDTH, sort_dicts=False)
        lines.append(f"    schema={indent(schema, ' ' * 11).strip()},")
    else:
        own = list(record.fields)
    lines += _fields("field_descriptions", own)
    lines += _fields("context_field_descriptions", record.context_fields)
    lines += [f"    {argument}," for argument in _arguments(record)]
    return "\n".join([*lines, ")"])


def _fields(parameter: str, docs: Sequence[FieldDoc]) -> list[str]:
    if not docs:
        return []
    lines = [f"        {_text(doc.name)}: {_field(doc)}," for doc in docs]
    return [f"    {parameter}={{", *lines, "    },"]


def _arguments(record: EventType) -> list[str]:
    """Return what is said of an event type besides its fields, as keyword arguments."""
    arguments = []
    if record.owner:
        arguments.append(f"owner={_text(record.owner)}")
    if record.tags:
        arguments.append(f"tags=[{', '.join(map(_text, record.tags))}]")
    if record.examples:
        arguments.append(f"examples={[dict(example) for example in record.examples]!r}")
    if record.deprecated:
        arguments.append(f"deprecated={_text(record.deprecated)}")
    return arguments


def _field(doc: FieldDoc) -> str:
    arguments = [_text(doc.name)]
    if doc.description:
        arguments.append(_text(doc.description))
    if doc.type:
        arguments.append(f"type={_text(doc.type)}")
    if not doc.required:
        arguments.append("required=False")
    if doc.pii:
        arguments.append(f"pii={_text(doc.pii)}")
    if doc.enum:
        arguments.append(f"enum=({' '.join(f'{_literal(value)},' for value in doc.enum)})")
    return f"FieldDoc({', '.join(arguments)})"


def _text(text: str) -> str:
    """Return a text as a literal, in double quotes where that needs no more escapes."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if '"' not in text and "'" not in text else literal


def _literal(value: object) -> str:
    return _text(value) if isinstance(value, str) else repr(value)


def _docstring(text: str, indent: str) -> str:
    safe = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    safe = "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in safe)
    if safe.endswith('"'):
        safe = f'{safe[:-1]}\\"'
    lines = safe.split("\n")
    wrapped = "\n".join([lines[0], *(f"{indent}{line}".rstrip() for line in lines[1:])])
    end = f"\n{indent}" if len(lines) > 1 else ""
    return f'{indent}"""{wrapped}{end}"""'
