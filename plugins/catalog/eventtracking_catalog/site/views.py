"""The parts of a catalogue that pages show, in their order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

from eventtracking_catalog.differences import Difference, differences, reworded
from eventtracking_catalog.model import Catalogue, Entry
from eventtracking_catalog.personal import is_mask
from eventtracking_catalog.site.drawing import bars_path
from eventtracking_catalog.timeline import Timeline
from eventtracking_core.registry import EventType

__all__ = [
    "Version",
    "activity",
    "contexts_of",
    "groups",
    "moment",
    "searchable",
    "seen_fields",
    "slugs",
    "ticks",
    "tokens",
    "versions",
]

BARS: Final = 48
MANY: Final = 24
"""Event types under one heading; more are divided."""

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_MAX_SLUG: Final = 60
_TOKEN: Final = re.compile(
    r'("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)|([\s{}\[\],]+|.)'
)


def slugs(names: Mapping[str, object]) -> dict[str, str]:
    """Return the name of each event's page: safe in any file system and any URL, and unique."""
    slugs_by_name: dict[str, str] = {}
    used: set[str] = set()
    for name in names:
        slug = _UNSAFE.sub("-", name).strip("-.")[:_MAX_SLUG]
        if slug != name or slug.lower() in used:
            slug = (
                f"{slug}-{sha256(name.encode(errors='backslashreplace')).hexdigest()[:8]}".lstrip(
                    "-"
                )
            )
        used.add(slug.lower())
        slugs_by_name[name] = slug
    return slugs_by_name


def groups(catalogue: Catalogue) -> dict[str, list[Entry]]:
    """Return the entries by the first part of their names, or by two where those are many."""
    by_head: dict[str, list[Entry]] = {}
    for entry in catalogue.entries.values():
        by_head.setdefault(_head(entry.name, 1), []).append(entry)
    for head, members in list(by_head.items()):
        if head and len(members) > MANY:
            del by_head[head]
            for entry in members:
                by_head.setdefault(_head(entry.name, 2), []).append(entry)
    return dict(sorted(by_head.items(), key=lambda group: (not group[0], group[0])))


def _head(name: str, parts: int) -> str:
    """Return the namespace of a name: some of its parts, never its last one; paths have none."""
    return "" if "/" in name else ".".join(name.split(".")[:-1][:parts])


@dataclass(frozen=True)
class Activity:
    """Counts over the time of the whole catalogue, as a path of bars."""

    path: str
    text: str
    peak: int = 0
    """The most events of a bar."""
    step: str = ""
    """How long the time of a bar is."""


def activity(catalogue: Catalogue, entry: Entry, width: int, height: int) -> Activity:
    """Return the bars of an entry, on the time axis that all entries share."""
    whole, own = catalogue.timeline, entry.timeline
    if whole.first is None or whole.last is None or own.first is None or own.last is None:
        return Activity("", "no events")
    bars = own.bars(whole.first, whole.last, BARS)
    text = f"{own.total:,} from {moment(own.first)} to {moment(own.last)}"
    step = _duration((whole.last - whole.first).total_seconds() / BARS)
    return Activity(bars_path(bars, width, height), text, max(bars), step)


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{max(1, round(seconds))} s"


class SeenField(NamedTuple):
    """A field that events had in their contexts, though no context that is described has it."""

    name: str
    type: str
    pii: str | None
    types: int
    """In events of how many types it was."""


def seen_fields(catalogue: Catalogue) -> list[SeenField]:
    """Return what was seen in contexts and is described nowhere, the most common first."""
    described = {
        doc.name for context in catalogue.contexts.values() for doc in context.current.fields
    }
    fields: dict[str, SeenField] = {}
    for entry in catalogue.entries.values():
        for row in entry.context_fields:
            doc = row.doc
            if row.documented or doc.name in described:
                continue
            types = fields[doc.name].types if doc.name in fields else 0
            fields[doc.name] = SeenField(doc.name, doc.type or "any", doc.pii, types + 1)
    return sorted(fields.values(), key=lambda seen: (-seen.types, seen.name))


class Version(NamedTuple):
    """A record, and what it changed."""

    record: EventType
    changes: list[Difference]
    words: list[tuple[str, str]]
    """Of the description, told apart; none where it stayed the same."""
    where: str


def versions(entry: Entry) -> list[Version]:
    """Return the records of an entry, the latest first."""
    versions_shown = []
    for old, record in zip((None, *entry.versions), entry.versions, strict=False):
        changes = differences(old, record) if old else []
        words = reworded(old.description, record.description) if old else []
        if old and old.description == record.description:
            words = []
        where = record.stack_trace[-1] if record.stack_trace else ""
        versions_shown.append(Version(record, changes, list(words), where))
    return versions_shown[::-1]


def contexts_of(catalogue: Catalogue, entry: Entry) -> list[str]:
    """Return the names of the contexts that events of an entry had."""
    ids = entry.observation.context_type_ids if entry.observation else ()
    names: dict[str, None] = {}
    for id_ in sorted(ids):
        record = catalogue.records.get(id_)
        members = record.members if record and record.kind == "composed" else (id_,)
        for member in members:
            context = catalogue.records.get(member)
            if context and context.kind == "context":
                names[context.name] = None
    return list(names)


def moment(time: datetime) -> str:
    """Return a time as it is shown; none, where it is the beginning of all time."""
    return "" if time.year == 1 else f"{time:%Y-%m-%d %H:%M}"


def ticks(timeline: Timeline) -> tuple[str, str]:
    """Return the ends of a time axis in few characters; empty, where there are no events."""
    first, last = timeline.first, timeline.last
    if first is None or last is None:
        return "", ""
    form = "%H:%M" if first.date() == last.date() else "%m-%d"
    if first.year != last.year:
        form = "%Y-%m"
    return f"{first:{form}}", f"{last:{form}}"


def tokens(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the parts of a value as JSON, each with its kind: key, text, value or none."""
    for match in _TOKEN.finditer(json.dumps(value, indent=2, ensure_ascii=False, default=str)):
        text, colon, literal, other = match.groups()
        if text is not None:
            yield ("key" if colon else "masked" if is_mask(text[1:-1]) else "text"), text
            if colon:
                yield "", colon
        elif literal is not None:
            yield "value", literal
        else:
            yield "", other


def searchable(catalogue: Catalogue, pages: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what the search looks through: a title, an address, and words."""
    rows: list[dict[str, Any]] = []
    for name, entry in catalogue.entries.items():
        record = entry.current
        rows.append(
            {
                "t": name,
                "u": f"events/{pages[name]}.html",
                "d": record.description[:200],
                "f": [row.doc.name for row in (*entry.fields, *entry.context_fields)],
                "g": [*record.tags, record.owner or "", *entry.classes],
                "n": entry.timeline.total,
            }
        )
    for number, (name, context) in enumerate(catalogue.contexts.items()):
        record = context.current
        rows.append(
            {
                "t": name,
                "u": f"contexts.html#c{number}",
                "d": record.description[:200],
                "f": [doc.name for doc in record.fields],
                "g": ["context"],
                "n": 0,
            }
        )
    return rows
