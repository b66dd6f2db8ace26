"""The keys of objects: made from the ids of their events, which they tell again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

__all__ = ["Stored", "id_prefix", "is_timed", "object_key", "objects_of_keys"]

_UUID: Final = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_NAME: Final = re.compile(rf"({_UUID}|unsorted)_({_UUID}|unsorted)_[0-9a-f]{{32}}\.([a-z.]+)")
_UNSORTED: Final = "unsorted"
"""In place of the first and last id, if one is not a UUID; it sorts behind all UUIDs."""

_VERSION_7: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_is_uuid: Final = re.compile(_UUID).fullmatch


class Stored(NamedTuple):
    """An object of the store; ids of its events are from `first` to `last`."""

    first: str
    last: str
    key: str
    suffix: str

    @property
    def directory(self) -> str:
        """The directories of its key."""
        return self.key.rpartition("/")[0]

    def covers(self, event_id: str) -> bool:
        """Return whether the event may be in it."""
        return self.first <= event_id and (not self.last or event_id <= self.last)


def object_key(directory: str, ids: Sequence[str], suffix: str) -> str:
    """Return the key of the object of some events, the same for the same events.

    The last id comes first, so that a listing can begin with the objects that may have an event.

    Args:
        directory: where it is.
        ids: of its events, in order.
        suffix: of its name, such as `ndjson.gz`.
    """
    text = "\n".join(ids).encode(errors="replace")
    digest = blake2b(text, digest_size=16).hexdigest()
    first, last = ids[0], ids[-1]
    if not (_is_uuid(first) and _is_uuid(last)):
        first = last = _UNSORTED
    return f"{directory}/{last}_{first}_{digest}.{suffix}"


def objects_of_keys(keys: Sequence[str]) -> Iterator[Stored]:
    """Yield the objects of keys; keys that others made are left out."""
    for key in keys:
        match = _NAME.fullmatch(key.rpartition("/")[2])
        if match is not None:
            last, first = ("" if mark == _UNSORTED else mark for mark in (match[1], match[2]))
            yield Stored(first, last, key, match[3])


def id_prefix(seconds: float) -> str:
    """Return how ids begin that were made at a time, in seconds since 1970; later ones sort behind.

    Ids that `is_timed` says no of are anything.
    """
    digits = f"{int(seconds * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}"


def is_timed(event_id: str) -> bool:
    """Return whether an id is a UUIDv7, which begins with its time."""
    return _VERSION_7.fullmatch(event_id) is not None
