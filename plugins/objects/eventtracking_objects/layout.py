"""The directories of events: a template of fields, and what a directory tells of its events."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import quote, unquote

from eventtracking_core import Event
from eventtracking_core.encoding import Head, normalize
from eventtracking_core.events import as_utc
from eventtracking_core.reading import (
    Filters,
    field_reader,
    glob_pattern,
    is_field,
    value_text,
)

__all__ = ["Layout", "path_problem"]

MISSING: Final = "__HIVE_DEFAULT_PARTITION__"
"""What stands for a value that is missing or empty, as Hive, Spark and DuckDB have it."""

MAX_VALUE: Final = 120
"""Characters of an escaped value; a longer one is cut, and ends with a hash."""

_MINUTE: Final = len("2026-09-12T12:55")
"""Characters of a timestamp that a directory may depend on."""

_FIELD: Final = re.compile(r"\{([^{}:]+)(?::([^{}]+))?\}")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_.=+@ -]*")
_LENGTHS: Final = {
    ("%Y",): timedelta(days=366),
    ("%Y", "%m"): timedelta(days=31),
    ("%Y", "%m", "%d"): timedelta(days=1),
    ("%Y", "%m", "%d", "%H"): timedelta(hours=1),
    ("%Y", "%m", "%d", "%H", "%M"): timedelta(minutes=1),
}
"""How long the time is that a directory covers, by the directives in its path."""

_DIRECTIVE: Final = re.compile(r"%.")


Reader = Callable[[Sequence[Event], Sequence[Head]], list[str]]
"""Returns the values of a field as texts; of a timestamp, to the minute."""


class Layout:
    """The directories of events: a path with fields, such as `name={name}`.

    Args:
        template: directories, separated by `/`. `{name}`, `{context.org}` and other fields are
            replaced by their values, `{timestamp:%Y-%m-%d}` by the time in UTC, to the minute.

    Raises:
        ValueError: the template cannot be used.
    """

    def __init__(self, template: str) -> None:
        segments = template.split("/")
        plain = [_FIELD.sub("", segment) for segment in segments]
        if not all(segments) or not all(map(_SEGMENT.fullmatch, plain)):
            raise ValueError("path must be directories such as events/name={name}, without . or ..")
        if any(segment.strip(".") == "" for segment in segments):
            raise ValueError("path must not contain . or ..")
        self._fields = [(match[1], match[2]) for match in _FIELD.finditer(template)]
        for field, form in self._fields:
            if (field == "timestamp") != bool(form):
                raise ValueError(
                    "path must have a format for timestamp only, as {timestamp:%Y-%m-%d}"
                )
            if not (form or is_field(field)):
                raise ValueError("path must have fields of events, such as {name}, {context.org}")
        self._readers = [_reader(field) for field, _ in self._fields]
        self._form = _FIELD.sub("{}", template)
        literal = map(re.escape, _FIELD.sub("\0", template).split("\0"))
        self._pattern = re.compile("([^/]*)".join(literal))
        fixed = []
        for segment in segments:
            if "{" in segment:
                break
            fixed.append(segment)
        self.root = "/".join(fixed)
        """The directory that has all events; empty if there is no such directory."""

    def directories(self, events: Sequence[Event], heads: Sequence[Head]) -> list[str]:
        """Return the directory of each event, in which no value is above the fixed part.

        Args:
            events: that have all their parts; they are read only for fields that no head has.
            heads: of the same events.
        """
        values = [read(events, heads) for read in self._readers]
        if all(len(set(each)) == 1 for each in values):  # as in most batches
            return [self._filled(tuple(each[0] for each in values))] * len(heads)
        rows = list(zip(*values, strict=True))
        filled = {row: self._filled(row) for row in set(rows)}
        return list(map(filled.__getitem__, rows))

    def _filled(self, values: tuple[str, ...]) -> str:
        fields = zip(self._fields, values, strict=True)
        return self._form.format(
            *[_escaped(_time(form, value) if form else value) for (_, form), value in fields]
        )

    def pruned(self, filters: Filters) -> Callable[[str], bool]:
        """Return a function that returns whether a directory may have events that pass filters."""
        name, since, until = filters.get("name"), filters.get("since"), filters.get("until")
        glob = None if name is None else re.compile(glob_pattern(name), re.DOTALL)
        start = None if since is None else as_utc(since)
        end = None if until is None else as_utc(until)

        def may_have(directory: str) -> bool:
            match = self._pattern.fullmatch(directory)
            if match is None:  # stored with another path
                return True
            if glob is not None:
                for (field, _), value in zip(self._fields, match.groups(), strict=True):
                    if field == "name" and _is_whole(value) and not glob.fullmatch(unquote(value)):
                        return False
            if start is None and end is None:
                return True
            return self._overlaps(match.groups(), start, end)

        return may_have

    def _overlaps(
        self, values: tuple[str, ...], start: datetime | None, end: datetime | None
    ) -> bool:
        forms = [form for _, form in self._fields if form]
        texts = [
            unquote(value) for (_, form), value in zip(self._fields, values, strict=True) if form
        ]
        length = _LENGTHS.get(tuple(_DIRECTIVE.findall("".join(forms))))
        if length is None:
            return True
        try:
            first = datetime.strptime("\t".join(texts), "\t".join(forms)).replace(tzinfo=UTC)
            last = first + length
        except (OverflowError, ValueError):
            return True
        return (end is None or first < end) and (start is None or last > start)


def _reader(field: str) -> Reader:
    if field == "timestamp":
        return lambda _, heads: [each.timestamp[:_MINUTE] for each in heads]
    if field == "name":
        return lambda _, heads: [each.name for each in heads]
    read = field_reader(field)
    return lambda events, _: [_text(read(event)) for event in events]


def _text(value: object) -> str:
    return value_text(value if type(value) is str else normalize(value)) or ""


def _time(form: str, minute: str) -> str:
    return datetime.fromisoformat(f"{minute}Z").strftime(form)


def path_problem(template: str) -> str:
    """Return why no layout can be made of a template; nothing if one can."""
    try:
        Layout(template)
    except ValueError as error:
        return str(error)
    return ""


def _escaped(text: str) -> str:
    if not text:
        return MISSING
    value = quote(text.encode(errors="replace"), safe="")
    if not value.strip("."):
        return value.replace(".", "%2E")
    if len(value) > MAX_VALUE:
        digest = sha256(value.encode()).hexdigest()[:16]
        return f"{value[: MAX_VALUE - len(digest) - 1]}~{digest}"
    # Part of a segment such as `.{name}`, or a value that quoting leaves as it is.
    return value.replace("~", "%7E")


def _is_whole(value: str) -> bool:
    """Return whether a directory has the whole value."""
    return "~" not in value and value != MISSING
