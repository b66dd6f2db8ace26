"""Compare two records of an event type, and find changes that break readers of the log.

A change breaks readers if an event can match the new record but not the old one: a required field
may be missing, or have a new type or value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain
from typing import Final, Literal

from eventtracking_core.registry import EventType, FieldDoc

__all__ = ["Difference", "differences", "reworded", "types_of"]

_ANY: Final = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})


@dataclass(frozen=True)
class Difference:
    """One change.

    Args:
        path: the field's path (`context.…` for the context's); empty for the whole type.
        text: a description, as the end of a sentence.
        breaking: whether it breaks readers of the log.
    """

    path: str
    text: str
    breaking: bool = False


def differences(old: EventType, new: EventType) -> list[Difference]:
    """Return the changes from one record to another, breaking changes first."""
    changes = chain(
        _of_type(old, new),
        _of_fields(old.fields, new.fields, ""),
        _of_fields(old.context_fields, new.context_fields, "context."),
    )
    return sorted(changes, key=lambda difference: not difference.breaking)


def _of_type(old: EventType, new: EventType) -> Iterator[Difference]:
    if old.description != new.description:
        yield Difference("", "description reworded" if old.description else "description added")
    if old.deprecated is None and new.deprecated is not None:
        yield Difference("", f"deprecated: {new.deprecated}")
    elif new.deprecated is None and old.deprecated is not None:
        yield Difference("", "no longer deprecated")
    if old.owner != new.owner:
        yield Difference("", f"owner: {old.owner or 'none'} → {new.owner or 'none'}")
    if old.members != new.members:
        yield Difference("", "composed of other contexts")


def _of_fields(
    old: tuple[FieldDoc, ...], new: tuple[FieldDoc, ...], prefix: str
) -> Iterator[Difference]:
    before = {field.name: field for field in old}
    after = {field.name: field for field in new}
    for name, field in before.items():
        if name not in after:
            yield Difference(prefix + name, "removed", breaking=True)
        else:
            yield from _of_field(field, after[name], prefix + name)
    for name, field in after.items():
        if name not in before:
            how = "required" if field.required else "optional"
            yield Difference(prefix + name, f"added, {how}: {types_of(field)}")


def _of_field(old: FieldDoc, new: FieldDoc, path: str) -> Iterator[Difference]:
    if old.required and not new.required:
        yield Difference(path, "no longer required", breaking=True)
    if new.required and not old.required:
        yield Difference(path, "now required")
    if old.type != new.type:
        widened = not _kinds(new) <= _kinds(old)
        yield Difference(path, f"type: {types_of(old)} → {types_of(new)}", breaking=widened)
    if old.enum != new.enum:
        yield from _of_choices(old, new, path)
    if old.pii != new.pii:
        yield Difference(path, f"personal data: {old.pii or 'none'} → {new.pii or 'none'}")
    if old.description != new.description:
        yield Difference(path, "description reworded" if old.description else "description added")


def _of_choices(old: FieldDoc, new: FieldDoc, path: str) -> Iterator[Difference]:
    more = [value for value in new.enum if value not in old.enum]
    fewer = [value for value in old.enum if value not in new.enum]
    if not new.enum:
        yield Difference(path, "any value, no longer one of a few", breaking=True)
    elif not old.enum:
        yield Difference(path, f"only one of {_listed(new.enum)}")
    else:
        if more:
            yield Difference(path, f"may now be {_listed(more)}", breaking=True)
        if fewer:
            yield Difference(path, f"never again {_listed(fewer)}")


def _listed(values: object) -> str:
    return ", ".join(repr(value) for value in values) if isinstance(values, (list, tuple)) else ""


def _kinds(field: FieldDoc) -> frozenset[str]:
    kinds = frozenset(field.type.split("|")) if field.type else _ANY
    return kinds | {"integer"} if "number" in kinds else kinds


def types_of(field: FieldDoc) -> str:
    """Return a description of a field's type, such as `integer or null`."""
    return field.type.replace("|", " or ") if field.type else "any type"


def reworded(old: str, new: str) -> list[tuple[Literal["same", "gone", "new"], str]]:
    """Return the words of two texts, marked as common, removed or added."""
    before, after = old.split(), new.split()
    parts: list[tuple[Literal["same", "gone", "new"], str]] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            parts.append(("same", " ".join(before[i1:i2])))
            continue
        if i2 > i1:
            parts.append(("gone", " ".join(before[i1:i2])))
        if j2 > j1:
            parts.append(("new", " ".join(after[j1:j2])))
    return parts
