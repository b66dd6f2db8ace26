"""Observe the shape of values: their fields, types, and frequencies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from eventtracking_catalog.personal import guessed_class
from eventtracking_core.registry import FieldDoc
from eventtracking_core.validation.values import json_type

__all__ = ["Shape"]

MAX_FIELDS: Final = 64
"""Maximum number of an object's keys; with more, they are values instead of field names."""

MAX_DEPTH: Final = 6
MAX_CHOICES: Final = 6
"""Maximum number of different texts of a field that has a few choices."""

ENOUGH: Final = 20
"""Minimum number of observations before a few different texts count as choices."""

_CHOICE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,31}")
# Generated identifiers: eight or more hexadecimal digits, six or more decimal ones, or part of a
# locator.
_IDENTIFIER: Final = re.compile(r"(?=[0-9a-f-]*\d)[0-9a-f]{8}|\d{6}|[@:/+]", re.IGNORECASE)


class Shape:
    """The observed shape of one field, or of the whole data of events.

    `is_open` is true if some of its keys are values, which can't be documented. Such a field has no
    fields; the data of an event keep their other fields.

    Args:
        depth: how many nested levels are observed.
    """

    def __init__(self, depth: int = MAX_DEPTH) -> None:
        self.seen = 0
        self.types: Counter[str] = Counter()
        self.fields: dict[str, Shape] = {}
        self._choices: set[str] | None = set()
        self.is_open = False
        self._depth = depth

    def add(self, value: object) -> None:
        """Observe a value."""
        self.seen += 1
        kind = json_type(value) or "null"  # as JSON has NaN
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
        """The JSON Schema types, joined by `|`; None (any) if the value was always null."""
        if self.types.keys() <= {"null"}:
            return None
        # An integer is also a number.
        kinds = {kind for kind in self.types if kind != "integer" or "number" not in self.types}
        return "|".join(sorted(kinds - {"null"}) + sorted(kinds & {"null"}))

    def choices(self) -> tuple[str, ...]:
        """Return its choices if it always had one of a few texts and was observed often enough."""
        if not self._choices or self.seen < ENOUGH or len(self._choices) * 3 > self.seen:
            return ()
        return tuple(sorted(self._choices))

    def documented(self, prefix: str = "") -> Iterator[FieldDoc]:
        """Yield documentation of the fields, nested fields after their parents."""
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
        """Yield each field's path, how often it was present, and how often it could have been."""
        for key, shape in self.fields.items():
            yield f"{prefix}{key}", shape.seen, self.types["object"]
            yield from shape.presence(f"{prefix}{key}.")
