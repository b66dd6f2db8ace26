"""Objects in flight, and those of which it is unknown whether they reached the store.

An event that may be in an object is sent again only as a part of that same object, which the store
has once. So what is sent again with other events, as retries do, is not stored twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import filterfalse
from threading import Lock
from typing import Final, NamedTuple

from eventtracking_objects.batches import Group

__all__ = ["Draft", "Drafts"]

MAX_WRITTEN: Final = 100_000
"""Ids that are remembered because their object was written for the sake of others in it."""


class Draft(NamedTuple):
    """An object to write: its key, its bytes, and its events, ordered by id."""

    key: str
    data: bytes
    group: Group

    @property
    def ids(self) -> Sequence[str]:
        """The ids of its events."""
        return self.group.ids


class Drafts:
    """The drafts of one process, for any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._unwritten: dict[str, Draft] = {}
        """By their keys."""
        self._written: dict[str, None] = {}

    def sorted(
        self, ids: Sequence[str], distinct: frozenset[str]
    ) -> tuple[list[Draft], Sequence[int]]:
        """Return the drafts that have some of these events, and the places of those that none has.

        Events that were written for the sake of others are in neither, and of a repeated id only
        the last. `distinct` are the ids without repeats.
        """
        with self._lock:
            if not self._unwritten and not self._written and len(distinct) == len(ids):
                return [], range(len(ids))
            last = dict(zip(ids, range(len(ids)), strict=True))
            known = {each: draft for draft in self._unwritten.values() for each in draft.ids}
            drafts = {known[each].key: known[each] for each in last if each in known}
            written = [each for each in last if each not in known and each in self._written]
            for each in written:
                del self._written[each]
            others = last.keys() - known.keys() - set(written)
            return list(drafts.values()), sorted(last[each] for each in others)

    def add(self, drafts: Iterable[Draft]) -> None:
        """Remember drafts, before their events are sent."""
        with self._lock:
            self._unwritten |= {draft.key: draft for draft in drafts}

    def written(self, draft: Draft, sent: Collection[str]) -> None:
        """Forget a draft that was written; `sent` are the events that were to be."""
        with self._lock:
            self._unwritten.pop(draft.key, None)
            self._written |= dict.fromkeys(filterfalse(sent.__contains__, draft.ids))
            while len(self._written) > MAX_WRITTEN:
                del self._written[next(iter(self._written))]

    def forget(self, draft: Draft) -> None:
        """Forget a draft that will never be written."""
        with self._lock:
            self._unwritten.pop(draft.key, None)
