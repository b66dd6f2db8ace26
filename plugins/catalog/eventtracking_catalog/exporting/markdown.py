"""Markdown: one page that any repository or wiki shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from eventtracking_catalog.differences import types_of
from eventtracking_catalog.model import Catalogue, Entry
from eventtracking_core.registry import FieldDoc

__all__ = ["code", "escaped", "exported", "table"]

_SPECIAL: Final = re.compile(r"([\\`*_\[\]{}|~#])")


def exported(catalogue: Catalogue) -> str:
    """Return the page."""
    parts = ["# Event types", ""]
    for entry in catalogue.entries.values():
        parts += _entry(entry)
    for context in catalogue.contexts.values():
        parts += [f"## Context {code(context.name)}", ""]
        parts += [escaped(context.current.description), ""]
        parts += table(context.current.fields)
    return "\n".join(parts).rstrip("\n") + "\n"


def _entry(entry: Entry) -> Iterator[str]:
    record = entry.current
    yield from (f"## {code(entry.name)}", "")
    if record.deprecated:
        yield from (f"**Deprecated:** {escaped(record.deprecated)}", "")
    if record.description:
        yield from (escaped(record.description), "")
    facts = {
        "Owner": escaped(record.owner or ""),
        "Tags": ", ".join(code(tag) for tag in record.tags),
        "Id": code(record.id) if entry.documented else "",
        "Emitted by": ", ".join(code(f"{place.path}:{place.line}") for place in entry.emitters),
    }
    if any(facts.values()):
        yield from (f"- {label}: {text}" for label, text in facts.items() if text)
        yield ""
    yield from table(record.fields)
    if record.context_fields:
        yield from ("In its context:", "")
        yield from table(record.context_fields)


def table(fields: Iterable[FieldDoc]) -> Iterator[str]:
    """Yield the lines of a table of fields, and an empty one; nothing for no fields."""
    rows = list(fields)
    if not rows:
        return
    yield "| field | type | required | personal data | meaning |"
    yield "| --- | --- | --- | --- | --- |"
    for doc in rows:
        meaning = escaped(" ".join(doc.description.split()))
        if doc.enum:
            choices = ", ".join(code(str(value)) for value in doc.enum)
            meaning = f"{meaning} One of {choices}.".strip()
        required = "yes" if doc.required else "no"
        pii = escaped(doc.pii or "")
        yield f"| {code(doc.name)} | {escaped(types_of(doc))} | {required} | {pii} | {meaning} |"
    yield ""


def escaped(text: str) -> str:
    """Return a text that shows as it is: neither Markdown nor HTML."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", text)


def code(text: str) -> str:
    """Return a text as code, in a fence longer than any in it; a bar does not end a cell."""
    line = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"
