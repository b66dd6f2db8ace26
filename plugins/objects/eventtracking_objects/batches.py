"""A batch by lists: what keys, directories and contents of objects are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from eventtracking_core import Event
from eventtracking_core.encoding import Head, encode_heads, with_parts

__all__ = ["Batch", "Group", "batch_of"]


class Batch(NamedTuple):
    """The events of a batch that have a JSON; equal places of all lists are of one event."""

    indexes: Sequence[int]
    """In the batch that was sent."""

    events: Sequence[Event]
    ids: Sequence[str]
    texts: Sequence[bytes]
    heads: Sequence[Head]

    def group(self, directory: str, places: Sequence[int]) -> Group:
        """Return some events as those of a directory."""
        whole = Group(directory, self.ids, self.texts, self.heads)
        return whole if len(places) == len(self.ids) else whole.only(places)


class Group(NamedTuple):
    """Events of one directory; equal places of all lists are of one event."""

    directory: str
    ids: Sequence[str]
    texts: Sequence[bytes]
    heads: Sequence[Head]

    def only(self, places: Sequence[int]) -> Group:
        """Return some of the events."""
        return Group(
            self.directory,
            [self.ids[place] for place in places],
            [self.texts[place] for place in places],
            [self.heads[place] for place in places],
        )

    def ordered(self) -> Group:
        """Return the events ordered by id."""
        if sorted(self.ids) == list(self.ids):  # most batches are
            return self
        return self.only(sorted(range(len(self.ids)), key=self.ids.__getitem__))

    def halves(self) -> tuple[Group, Group]:
        """Return the first half of the events, and the second one."""
        middle, size = len(self.ids) // 2, len(self.ids)
        return self.only(range(middle)), self.only(range(middle, size))


def batch_of(events: Sequence[Event]) -> tuple[Batch, dict[int, Exception]]:
    """Return a batch by lists, and the errors of events that have no JSON, by index."""
    events = with_parts(events)
    (indexes, texts, heads), failures = encode_heads(events)
    if failures:
        events = [events[index] for index in indexes]
    return Batch(indexes, events, [each.id for each in heads], texts, heads), failures
