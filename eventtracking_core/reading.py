"""The interface by which stored events are found and counted, whatever stores them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Final, Literal, Protocol, TypedDict, Unpack, get_args, runtime_checkable

from eventtracking_core.events import Event, as_utc

__all__ = [
    "COLUMNS",
    "PERIODS",
    "EventReader",
    "Filters",
    "Period",
    "Query",
    "checked",
    "conditions",
    "field_reader",
    "glob_pattern",
    "is_field",
    "like_pattern",
    "matcher",
    "most_frequent",
    "number",
    "per_period",
    "period_start",
    "value_text",
]

COLUMNS: Final = {
    "id": "id",
    "name": "name",
    "name_id": "name_id",
    "context_type_id": "context_type_id",
    "context.user_id": "user_id",
}
"""Columns of our tables beside the whole event, by the field whose text they have."""

Period = Literal["minute", "hour", "day", "week"]
PERIODS: Final = get_args(Period)

_OWN_FIELDS: Final = ("id", "name", "name_id", "context_type_id")
_NAMESPACES: Final = ("context.", "data.")
_WILDCARD: Final = re.compile(r"([*?])")
_MEANING: Final = {"*": ".*", "?": "."}
_LIKE: Final = str.maketrans({"*": "%", "?": "_", "%": r"\%", "_": r"\_", "\\": r"\\"})
_NUMBER: Final = re.compile(r"-?\d{1,300}(\.\d{1,300})?")


class Filters(TypedDict, total=False):
    """Which events: all of these hold, and what is left out or None restricts nothing."""

    name: str | None
    """A glob, in which `*` stands for any text and `?` for one character."""
    since: datetime | None
    """Events at this time are in; a time without an offset is in UTC."""
    until: datetime | None
    """Events at this time are out."""
    user: str | None
    """The `user_id` of the context, as text."""
    where: Mapping[str, str] | None
    """Required values by dotted field.

    For example, `{"data.problem_id": "p1"}`. Values are compared as text:
    `"7"` finds 7, 7.0 and "7", `"true"` finds true, and `"null"` finds null and missing fields.
    """


class Query(Filters, total=False):
    """Which events, in which order, and how many of them."""

    after: str | None
    """Only events that were stored after the one with this id, in the order of storing.

    If it is empty, all events in that order. A store that does not know the order of storing goes
    by ids, which is the order of creation.
    """
    newest_first: bool
    """Reverse the order."""
    limit: int | None
    """Maximum number of events."""


@runtime_checkable
class EventReader(Protocol):
    """A store of events that can be read: a backend, or files of events.

    Fields are dotted: `name`, `context.user_id`, `data.problem_id`. Methods raise `ValueError` for
    a field that starts with neither `context.` nor `data.`, and an `EventTrackingError` or an
    `OSError` if the store cannot be read.
    """

    def query(self, **query: Unpack[Query]) -> Iterator[Event]:
        """Yield events in the order of their times; files of events, in the order of their lines.

        Args:
            query: see `Query`.
        """

    def get(self, event_id: str, /) -> Event | None:
        """Return the event with an id, or None."""

    def find(self, part: str, /, *, limit: int = 2) -> list[Event]:
        """Return events whose ids contain a text: the beginning, the end, or what is between."""

    def count(self, **filters: Unpack[Filters]) -> int:
        """Return the number of events."""

    def count_by(
        self, field: str, /, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> list[tuple[str | None, int]]:
        """Return the values of a field and how many events have each, the most frequent first.

        Values are text, lists and objects are `[…]` and `{…}`; None is for events without
        the field.
        """

    def count_per(
        self, period: Period, /, **filters: Unpack[Filters]
    ) -> list[tuple[datetime, int]]:
        """Return the periods that have events, by their start in UTC and in order, and how many.

        Weeks begin on Monday.
        """


@runtime_checkable
class ReadsJson(Protocol):
    """A store that holds events in the JSON that `encoding.encode_json` made of them."""

    def query_json(self, **query: Unpack[Query]) -> Iterator[bytes]:
        """Yield the JSON of what `EventReader.query` yields."""


def conditions(filters: Filters) -> dict[str, str]:
    """Return the values that fields must have, `user` among them.

    Raises:
        ValueError: a field is not one of an event.
    """
    values = dict(filters.get("where") or {})
    user = filters.get("user")
    if user is not None:
        values.setdefault("context.user_id", user)
    for field in values:
        checked(field)
    return values


def checked(field: str) -> str:
    """Return a dotted field if events can have it.

    Raises:
        ValueError: events have no such field.
    """
    if is_field(field):
        return field
    raise ValueError("name a field as context.user_id or data.problem_id")


def is_field(field: str) -> bool:
    """Return whether events can have a dotted field."""
    return field in _OWN_FIELDS or (field.startswith(_NAMESPACES) and all(field.split(".")))


def number(text: str) -> int | float | None:
    """Return the number that a text contains, None if it is not a number."""
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def glob_pattern(glob: str) -> str:
    """Return the regular expression of a glob, without anchors."""
    parts = (_MEANING.get(part) or re.escape(part) for part in _WILDCARD.split(glob))
    return "".join(parts)


def like_pattern(glob: str) -> str | None:
    """Return the pattern of a glob for LIKE in SQL, None if it has no wildcard."""
    return glob.translate(_LIKE) if _WILDCARD.search(glob) else None


def matcher(filters: Filters) -> Callable[[Event], bool]:
    """Return a function that returns whether an event passes filters.

    Raises:
        ValueError: a field is not one of an event.
    """
    name, since, until = filters.get("name"), filters.get("since"), filters.get("until")
    pattern = None if name is None else re.compile(glob_pattern(name), re.DOTALL)
    start = None if since is None else as_utc(since)
    end = None if until is None else as_utc(until)
    values = [
        (field_reader(field), text, number(text)) for field, text in conditions(filters).items()
    ]
    if not (pattern or start or end or values):
        return lambda _event: True

    def matches(event: Event) -> bool:
        return (
            (pattern is None or pattern.fullmatch(event["name"]) is not None)
            and (start is None or event["timestamp"] >= start)
            and (end is None or event["timestamp"] < end)
            and all(_equals(value(event), text, like) for value, text, like in values)
        )

    return matches


def field_reader(field: str) -> Callable[[Event], Any]:
    """Return a function that returns the value of a dotted field, None for events without it.

    Raises:
        ValueError: events have no such field.
    """
    first, *rest = checked(field).split(".")
    if not rest:
        return lambda event: event.get(first)
    if len(rest) == 1:
        key = rest[0]
        return lambda event: event[first].get(key)  # type: ignore[literal-required]

    def value(event: Event) -> Any:
        inner: Any = event
        for key in (first, *rest):
            if not isinstance(inner, Mapping):
                return None
            inner = inner.get(key)
        return inner

    return value


def value_text(value: object) -> str | None:
    """Return a value as text, as `EventReader.count_by` returns it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, dict):
        return "{…}"
    if isinstance(value, list | tuple):
        return "[…]"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def most_frequent(
    texts: Iterable[str | None], limit: int | None = None
) -> list[tuple[str | None, int]]:
    """Return what `EventReader.count_by` returns.

    Args:
        texts: the field of each event; or how often each text is there, as a mapping.
        limit: maximum number of rows.
    """
    counts = Counter(texts)
    missing = [(None, counts.pop(None))] if None in counts else []
    rows = [*missing, *sorted(counts.items(), key=itemgetter(0))]
    return sorted(rows, key=itemgetter(1), reverse=True)[:limit]


def per_period(events: Iterable[Event], period: Period) -> list[tuple[datetime, int]]:
    """Return what `EventReader.count_per` returns."""
    return sorted(Counter(period_start(event["timestamp"], period) for event in events).items())


def period_start(time: datetime, period: Period) -> datetime:
    """Return when the period of a time in UTC began."""
    start = time.replace(second=0, microsecond=0)
    if period == "minute":
        return start
    start = start.replace(minute=0)
    if period == "hour":
        return start
    start = start.replace(hour=0)
    return start - timedelta(days=start.weekday()) if period == "week" else start


def _equals(value: Any, text: str, like: float | None) -> bool:
    if value is None:
        return text == "null"
    if isinstance(value, bool):
        return text == ("true" if value else "false")
    if isinstance(value, int | float):
        return bool(value == like)
    return bool(value == text)
