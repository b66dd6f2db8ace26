"""Make objects of events: one in each directory, without those that are stored already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import chain
from time import monotonic

from eventtracking_core import EventType
from eventtracking_core.encoding import unencodable
from eventtracking_core.lifecycle.interrupts import pass_on
from eventtracking_objects.batches import Batch, Group
from eventtracking_objects.client import Client
from eventtracking_objects.contents import Compression, Format, line_writer, suffix_of
from eventtracking_objects.drafts import Draft
from eventtracking_objects.keys import object_key
from eventtracking_objects.layout import Layout
from eventtracking_objects.looking import Looking
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
        self._lines = line_writer(compression)

    def add_event_type(self, record: EventType) -> None:
        """Let the columns of an event type have its fields."""
        if self._schemas is not None:
            self._schemas.add(record)

    async def drafts(
        self,
        batch: Batch,
        places: Sequence[int],
        client: Client,
        looking: Looking,
        *,
        deadline: float,
        errors: Errors,
    ) -> list[Draft]:
        """Return the objects of events; those that are stored already are in none.

        Args:
            batch: has the events.
            places: of them in the batch.
            client: of the store.
            looking: finds out which events are stored.
            deadline: for what the store is asked, on the monotonic clock.
            errors: gets those of events of which no object is made.

        Raises:
            EventTrackingError: the store does not say what has to be known.
        """
        if self._schemas is not None and places:
            await self._schemas.load(client, deadline - monotonic())
        groups = self._groups(batch, places)
        doubtful = looking.doubtful(list(chain.from_iterable(group.ids for group in groups)))
        drafts: list[Draft] = []
        for group in groups:
            left = group
            doubtful_ids = doubtful and doubtful.intersection(group.ids)
            if doubtful_ids:
                stored = await looking.stored_ids(
                    group.directory, doubtful_ids, deadline - monotonic()
                )
                left = group.only([n for n, each in enumerate(group.ids) if each not in stored])
            drafts += self._drafts_of(left, errors)
        return drafts

    def halves(self, draft: Draft, errors: Errors) -> list[Draft]:
        """Return the objects of the two halves of one that was rejected."""
        first, second = draft.group.halves()
        return [*self._drafts_of(first, errors), *self._drafts_of(second, errors)]

    def _groups(self, batch: Batch, places: Sequence[int]) -> list[Group]:
        """Return events by their directory, and in Parquet by their name."""
        directories = self._layout.directories(batch.events, batch.heads)
        keys: Sequence[Hashable] = directories
        if self._schemas is not None:
            names = [each.name for each in batch.heads]
            keys = list(zip(directories, names, strict=True))
        if len(set(keys)) == 1:
            return [batch.group(directories[0], places)]
        groups: dict[Hashable, list[int]] = defaultdict(list)
        for place in places:
            groups[keys[place]].append(place)
        return [batch.group(directories[indexes[0]], indexes) for indexes in groups.values()]

    def _drafts_of(self, group: Group, errors: Errors) -> list[Draft]:
        """Return the object of events; several, where one cannot be made of all of them."""
        if not group.ids:
            return []
        ordered = group.ordered()
        try:
            data = self._data(ordered)
        except Exception as error:  # noqa: BLE001  each library has its own
            pass_on(error)
            if len(group.ids) > 1:
                first, second = group.halves()
                return [*self._drafts_of(first, errors), *self._drafts_of(second, errors)]
            errors[group.ids[0]] = unencodable(error)
            return []
        return [Draft(object_key(group.directory, ordered.ids, self._suffix), data, ordered)]

    def _data(self, group: Group) -> bytes:
        if self._schemas is None:
            return self._lines(group.texts)
        return self._schemas.table(group)
