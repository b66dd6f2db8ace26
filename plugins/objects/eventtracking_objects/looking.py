"""Find out whether events are stored already, where that may be."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from time import time
from typing import Final

from eventtracking_core.diagnostics import report
from eventtracking_objects.client import Client
from eventtracking_objects.contents import events_of
from eventtracking_objects.failures import DeniedError
from eventtracking_objects.keys import Stored, id_prefix, is_timed, objects_of_keys

__all__ = ["Looking"]

MAX_OBJECTS: Final = 32
"""Objects of a directory that are read to find an event; readers tell repeats apart anyway."""

REMEMBERED: Final = 64
"""Objects whose ids are kept in memory."""


class Looking:
    """Looks for events that another process may have stored before it died.

    Those are the events that were made before this process first sent one, and those that come
    alone: an event that was being delivered when its process died is delivered alone afterwards.

    Args:
        client: of the store.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._began = id_prefix(time())
        self._ids: dict[str, frozenset[str]] = {}
        self._may_look = True

    def doubtful(self, ids: Collection[str]) -> set[str]:
        """Return which events of a batch may be stored already."""
        if not self._may_look or len(ids) == 1:
            return set(ids) if self._may_look else set()
        began = self._began
        if min(ids, default=began) >= began:
            return set()
        return {event_id for event_id in ids if event_id < began and is_timed(event_id)}

    async def stored_ids(self, directory: str, ids: Iterable[str], seconds: float) -> set[str]:
        """Return which of some events are stored in a directory.

        Raises:
            EventTrackingError: the store does not say.
        """
        wanted = set(ids)
        try:
            after = f"{directory}/{min(wanted)}"
            stored_objects = objects_of_keys(
                await self._client.list_keys(directory, seconds, after)
            )
            objects = [each for each in stored_objects if any(map(each.covers, wanted))][
                -MAX_OBJECTS:
            ]
            await self._read(objects, seconds)
        except DeniedError:
            self._may_look = False
            report(
                logging.WARNING,
                ("objects", "look", self._client.uri),
                "the store may not be read: an event that was being stored when its process was "
                "killed can be in two objects, with the same id",
            )
            return set()
        return wanted.intersection(*[set().union(*(self._ids[each.key] for each in objects))])

    async def _read(self, objects: Iterable[Stored], seconds: float) -> None:
        unread = [each for each in objects if each.key not in self._ids]
        contents = await self._client.read([each.key for each in unread], seconds)
        for each, data in zip(unread, contents, strict=True):
            events = () if data is None else events_of(data, each.suffix)
            self._ids[each.key] = frozenset(event["id"] for event in events)
        while len(self._ids) > REMEMBERED + MAX_OBJECTS:
            del self._ids[next(iter(self._ids))]
