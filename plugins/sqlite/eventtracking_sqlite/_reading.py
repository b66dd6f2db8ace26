"""Find events in a store, without writing to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

from eventtracking_core import Event, EventType
from eventtracking_core.encoding import decode_json
from eventtracking_sqlite._database import open_for_reading
from eventtracking_sqlite._errors import translated
from eventtracking_sqlite._event_types import EVENT_TYPES, event_type
from eventtracking_sqlite._rows import timestamp_text

__all__ = ["Filters", "Reading"]

_STORED_AFTER: Final = """
rowid > coalesce((SELECT rowid FROM events WHERE id <= ? ORDER BY id DESC LIMIT 1), 0)
"""


class Filters(TypedDict, total=False):
    """Which events; what is left out, or None, restricts nothing.

    `name` is a glob, in which `*` stands for any text and `?` for one character. Events at
    `since` are in, those at `until` are out; times without an offset are in UTC. `user` is the
    context's `user_id`, as text.
    """

    name: str | None
    since: datetime | None
    until: datetime | None
    user: str | None


class Reading:
    """The methods of a store that read: each opens the file for itself, as it is now.

    All of them raise `FileNotFoundError` where there is no store, and never make one, and
    `RetryableError` where the file cannot be read; it says why.
    """

    _path: Path
    _busy_timeout: float

    def query(
        self,
        *,
        after: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> Iterator[Event]:
        """Yield events in the order of their timestamps, and of their ids where those are equal.

        Args:
            after: the id of an event: only those that were stored after it, in the order in
                which they were stored. So whoever asks again with the last id misses none,
                whatever their times. An id that is not there counts as the next lower one.
            newest_first: turn the order around.
            limit: how many, at most.
            filters: which ones, see `Filters`.
        """
        order = ("timestamp", "id") if after is None else ("rowid",)
        direction = "DESC" if newest_first else "ASC"
        ordering = ", ".join(f"{column} {direction}" for column in order)
        rows = self._select("event", _where(after=after, **filters), f"ORDER BY {ordering}", limit)
        return (decode_json(text) for (text,) in rows)

    def get(self, event_id: str) -> Event | None:
        """Return the event with an id, or None."""
        rows = self._select("event", {"id = ?": event_id})
        return next((decode_json(text) for (text,) in rows), None)

    def count(self, **filters: Unpack[Filters]) -> int:
        """Return how many events there are; see `Filters`."""
        rows = self._select("count(*)", _where(**filters))
        return sum(number for (number,) in rows)

    def count_by_name(
        self, *, limit: int | None = None, **filters: Unpack[Filters]
    ) -> list[tuple[str, int]]:
        """Return the names of events and how many have them, the most frequent first.

        Args:
            limit: how many names, at most.
            filters: which events, see `Filters`.
        """
        rest = "GROUP BY name ORDER BY count(*) DESC, name"
        return list(self._select("name, count(*)", _where(**filters), rest, limit))

    def count_by_minute(self, **filters: Unpack[Filters]) -> list[tuple[datetime, int]]:
        """Return the minutes in which there were events, in UTC and in order, and how many."""
        columns = "substr(timestamp, 1, 16) AS minute, count(*)"
        rows = self._select(columns, _where(**filters), "GROUP BY minute ORDER BY minute")
        return [(datetime.fromisoformat(f"{minute}Z"), number) for minute, number in rows]

    def load_event_types(self) -> Iterator[EventType]:
        """Yield the records of event types, the oldest first; none where there is no store."""
        if self._path.exists():
            yield from (event_type(text) for (text,) in self._rows(EVENT_TYPES))

    def _select(
        self, columns: str, where: Mapping[str, str], rest: str = "", limit: int | None = None
    ) -> Iterator[Any]:
        conditions = " AND ".join(["TRUE", *where])
        statement = f"SELECT {columns} FROM events WHERE {conditions} {rest} LIMIT ?"  # noqa: S608  all of it stands in this module
        yield from self._rows(statement, (*where.values(), -1 if limit is None else limit))

    def _rows(self, statement: str, values: tuple[object, ...] = ()) -> Iterator[Any]:
        """Yield rows; the connection is open while they are read, and no longer."""
        with (
            translated(),
            closing(open_for_reading(self._path, busy_timeout=self._busy_timeout)) as connection,
        ):
            yield from connection.execute(statement, values)


def _where(
    *,
    name: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    user: str | None = None,
    after: str | None = None,
) -> dict[str, str]:
    """Return the value of each condition that restricts something, by its SQL."""
    conditions = {
        "name GLOB ?": None if name is None else name.replace("[", "[[]"),
        "timestamp >= ?": _time(since),
        "timestamp < ?": _time(until),
        "user_id = ?": user,
        _STORED_AFTER: after,
    }
    return {condition: value for condition, value in conditions.items() if value is not None}


def _time(value: datetime | None) -> str | None:
    if value is None:
        return None
    return timestamp_text(value if value.tzinfo is None else value.astimezone(UTC))
