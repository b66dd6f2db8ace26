"""Objects in flight, and those of which it is unknown whether they reached the store.

An event that may be in an object is sent again only as a part of that same object, which the store
has once. So what is sent again with other events, as retries do, is not stored twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from threading import Lock
from typing import Final

from eventtracking_objects.rows import Row

__all__ = ["Draft", "Drafts"]

MAX_WRITTEN: Final = 100_000
"""Ids that are remembered because their object was written for the sake of others in it."""


class Draft:
    """An object to write: its key, its bytes, and its events, ordered by id."""

    __slots__ = ("data", "ids", "key", "rows")

    def __init__(self, key: str, data: bytes, ids: Sequence[str], rows: Sequence[Row]) -> None:
        self.key = key
        self.data = data
        self.ids = ids
        self.rows = rows


class Drafts:
    """The drafts of one process, for any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_id: dict[str, Draft] = {}
        self._written: dict[str, None] = {}

    def sorted(self, ids: Iterable[str]) -> tuple[list[Draft], list[str]]:
        """Return the drafts that have some of these events, and the ids of which no draft has.

        Events that were written for the sake of others are in neither.
        """
        with self._lock:
            drafts: dict[str, Draft] = {}
            new = []
            for event_id in ids:
                draft = self._by_id.get(event_id)
                if draft is not None:
                    drafts[draft.key] = draft
                elif event_id in self._written:
                    del self._written[event_id]
                else:
                    new.append(event_id)
            return list(drafts.values()), new

    def add(self, draft: Draft) -> None:
        """Remember a draft, before its events are sent."""
        with self._lock:
            self._by_id |= dict.fromkeys(draft.ids, draft)

    def written(self, draft: Draft, asked: Collection[str]) -> None:
        """Forget a draft that was written; `asked` are the events that were to be sent."""
        with self._lock:
            self._forget(draft)
            others = [event_id for event_id in draft.ids if event_id not in asked]
            self._written |= dict.fromkeys(others)
            while len(self._written) > MAX_WRITTEN:
                del self._written[next(iter(self._written))]

    def forget(self, draft: Draft) -> None:
        """Forget a draft that will never be written."""
        with self._lock:
            self._forget(draft)

    def _forget(self, draft: Draft) -> None:
        for event_id in draft.ids:
            if self._by_id.get(event_id) is draft:
                del self._by_id[event_id]
