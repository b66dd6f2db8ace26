"""What values look like: the fields that are there, their types, and how often."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from eventtracking_catalog.personal import guessed_class
from eventtracking_core.registry import FieldDoc

__all__ = ["Shape", "json_type"]

MAX_FIELDS: Final = 64
"""Different keys of one object; with more, they are values and no names."""

MAX_DEPTH: Final = 6
MAX_CHOICES: Final = 6
"""Different texts that a field may have had to be one of a few choices."""

ENOUGH: Final = 20
"""Times that a field must have been seen before few different texts mean anything."""

_CHOICE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,31}")
# What is made by a machine to tell one thing from another: eight hexadecimal digits or more, six
# decimal ones, or something of a locator.
_IDENTIFIER: Final = re.compile(r"(?=[0-9a-f-]*\d)[0-9a-f]{8}|\d{6}|[@:/+]", re.IGNORECASE)


def json_type(value: object) -> str:
    """Return what JSON Schema calls the type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, Mapping):
        return "object"
    return "array" if isinstance(value, (list, tuple)) else "string"


class Shape:
    """What has been seen of one field, or of the whole data of events.

    `is_open` tells that some of its keys are values of their own, so that nobody can document them.
    A field of which that is so has no fields; the data of an event keep those that are others.

    Args:
        depth: how many levels below are looked at.
    """

    def __init__(self, depth: int = MAX_DEPTH) -> None:
        self.seen = 0
        self.types: Counter[str] = Counter()
        self.fields: dict[str, Shape] = {}
        self._choices: set[str] | None = set()
        self.is_open = False
        self._depth = depth

    def add(self, value: object) -> None:
        """Look at a value."""
        self.seen += 1
        kind = json_type(value)
        self.types[kind] += 1
        if isinstance(value, Mapping):
            self._add_fields(value)
        elif kind != "null":
            self._add_choice(value)

    def _add_fields(self, values: Mapping[str, Any]) -> None:
        self._choices = None
        for key, value in values.items():
            if key not in self.fields:
                if self._names_no_field(key):
                    self.is_open = True
                    continue
                self.fields[key] = Shape(self._depth - 1)
            self.fields[key].add(value)
        if self.is_open and self._depth < MAX_DEPTH:
            self.fields.clear()

    def _names_no_field(self, key: str) -> bool:
        if not key or "." in key or len(self.fields) >= MAX_FIELDS:
            return True
        return self._depth == 0 or _IDENTIFIER.search(key) is not None

    def _add_choice(self, value: object) -> None:
        if self._choices is None:
            return
        if not isinstance(value, str) or not _CHOICE.fullmatch(value):
            self._choices = None
            return
        self._choices.add(value)
        if len(self._choices) > MAX_CHOICES:
            self._choices = None

    @property
    def type(self) -> str | None:
        """The JSON Schema types, joined by `|`; None for any, where it only ever was null."""
        if self.types.keys() <= {"null"}:
            return None
        # An integer is a number, too.
        kinds = {kind for kind in self.types if kind != "integer" or "number" not in self.types}
        return "|".join(sorted(kinds - {"null"}) + sorted(kinds & {"null"}))

    def choices(self) -> tuple[str, ...]:
        """Return the few texts it always was one of; none, unless it was seen often enough."""
        if not self._choices or self.seen < ENOUGH or len(self._choices) * 3 > self.seen:
            return ()
        return tuple(sorted(self._choices))

    def documented(self, prefix: str = "") -> Iterator[FieldDoc]:
        """Yield the fields as they would be documented, those within others after them."""
        objects = self.types["object"]
        for key, shape in sorted(self.fields.items()):
            path = f"{prefix}{key}"
            pii = guessed_class(path)
            only_text = shape.types.keys() <= {"string"}
            yield FieldDoc(
                name=path,
                type=shape.type,
                required=shape.seen == objects,
                pii=pii,
                enum=shape.choices() if only_text and pii is None else (),
            )
            if shape.types.keys() <= {"object", "null"}:
                yield from shape.documented(f"{path}.")

    def presence(self, prefix: str = "") -> Iterator[tuple[str, int, int]]:
        """Yield each field's path, how often it was there, and how often it could have been."""
        for key, shape in self.fields.items():
            yield f"{prefix}{key}", shape.seen, self.types["object"]
            yield from shape.presence(f"{prefix}{key}.")
