"""Make objects of events: one in each directory, without those that are stored already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

from eventtracking_core import EventType
from eventtracking_core.encoding import unencodable
from eventtracking_core.interrupts import pass_on
from eventtracking_objects.client import Client
from eventtracking_objects.contents import Compression, Format, line_writer, suffix_of
from eventtracking_objects.drafts import Draft
from eventtracking_objects.keys import object_key
from eventtracking_objects.layout import Layout
from eventtracking_objects.looking import Looking
from eventtracking_objects.rows import Row
from eventtracking_objects.schemas import Schemas

__all__ = ["Drafting"]

Errors = dict[str, Exception]
"""Errors of events, by their ids."""


class Drafting:
    """Makes the objects of a batch.

    Args:
        layout: says in which directory an event is stored.
        format: of objects.
        compression: of lines.
        event_types: the directory of event-type records.

    Raises:
        ValueError: a package is not installed.
    """

    def __init__(
        self,
        layout: Layout,
        format: Format,  # noqa: A002  as the option
        compression: Compression,
        event_types: str,
    ) -> None:
        self._layout = layout
        self._suffix = suffix_of(format, compression)
        self._schemas = Schemas(event_types) if format == "parquet" else None
        self._lines: Callable[[Sequence[Row]], bytes] = line_writer(compression)

    def add_event_type(self, record: EventType) -> None:
        """Let the columns of an event type have its fields."""
        if self._schemas is not None:
            self._schemas.add(record)

    async def drafts(
        self,
        rows: Sequence[Row],
        client: Client,
        looking: Looking,
        deadline: float,
        errors: Errors,
    ) -> list[Draft]:
        """Return the objects of events; those that are stored already are in none.

        Args:
            rows: the events.
            client: of the store.
            looking: finds out which events are stored.
            deadline: for what the store is asked, on the monotonic clock.
            errors: gets those of events of which no object is made.

        Raises:
            EventTrackingError: the store does not say what has to be known.
        """
        if self._schemas is not None and rows:
            await self._schemas.load(client, deadline - monotonic())
        doubtful = looking.doubtful([each.event["id"] for each in rows])
        drafts: list[Draft] = []
        for (directory, _), group in self._groups(rows).items():
            ids = {each.event["id"] for each in group}
            stored: set[str] = set()
            if not doubtful.isdisjoint(ids):
                stored = await looking.found(directory, ids & doubtful, deadline - monotonic())
            left = [each for each in group if each.event["id"] not in stored]
            drafts += self._made(directory, left, errors)
        return drafts

    def halves(self, draft: Draft, errors: Errors) -> list[Draft]:
        """Return the objects of the two halves of one that was rejected."""
        directory, middle = draft.key.rpartition("/")[0], len(draft.rows) // 2
        return [
            *self._made(directory, draft.rows[:middle], errors),
            *self._made(directory, draft.rows[middle:], errors),
        ]

    def _groups(self, rows: Sequence[Row]) -> Mapping[tuple[str, str], Sequence[Row]]:
        """Return events by their directory, and in Parquet by their name."""
        groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for each in rows:
            name = "" if self._schemas is None else each.event["name"]
            groups[self._layout.directory(each.event), name].append(each)
        return groups

    def _made(self, directory: str, rows: Sequence[Row], errors: Errors) -> list[Draft]:
        """Return the object of events; several, where one cannot be made of all of them."""
        if not rows:
            return []
        ordered = sorted(rows, key=lambda each: each.event["id"])
        try:
            data = self._data(ordered)
        except Exception as error:  # noqa: BLE001  each library has its own
            pass_on(error)
            if len(rows) > 1:
                middle = len(rows) // 2
                return [
                    *self._made(directory, rows[:middle], errors),
                    *self._made(directory, rows[middle:], errors),
                ]
            errors[rows[0].event["id"]] = unencodable(error)
            return []
        ids = [each.event["id"] for each in ordered]
        return [Draft(object_key(directory, ids, self._suffix), data, ids, ordered)]

    def _data(self, rows: Sequence[Row]) -> bytes:
        if self._schemas is None:
            return self._lines(rows)
        return self._schemas.table(rows)
