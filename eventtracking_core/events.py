"""The event record, its name and its id."""

from __future__ import annotations

import os
from _random import Random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from operator import length_hint
from threading import Lock
from typing import Any, Final, NamedTuple, NotRequired, TypedDict

__all__ = ["Event", "clean_name", "id_at", "new_id"]

UNKNOWN: Final = "unknown"
MAX_NAME: Final = 255


class Event(TypedDict):
    """What happened, who and where: a plain dict on its way through the tree.

    `timestamp` is an aware datetime in UTC. `name_id` and `context_type_id` are there where
    event types are registered.
    """

    id: str
    name: str
    timestamp: datetime
    context: dict[str, Any]
    data: dict[str, Any]
    name_id: NotRequired[str]
    context_type_id: NotRequired[str]


def clean_name(name: object) -> str:
    """Return a name every sink can hold: one printable line of at most 255 characters.

    What is no text, or empty, is `unknown`. Control characters are escaped, so that a name cannot
    forge a line in a log; a longer name keeps its head and the hash of the whole.
    """
    if not isinstance(name, str) or not name:
        return UNKNOWN
    text = str.__str__(name)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(text) > MAX_NAME:
        from hashlib import sha256  # noqa: PLC0415  most programs never have such a name

        digest = sha256(text.encode()).hexdigest()[:16]
        text = f"{text[: MAX_NAME - 17]}~{digest}"
    return text


# A UUIDv7 (RFC 9562) is the millisecond, a 12-bit counter and 62 random bits. One millisecond's
# ids share the random part, and differ in the counter: `next` on a list's iterator is one step for
# threads and signal handlers, so no lock is held while an id is made.
_COUNTERS: Final = [f"{value:03x}-" for value in range(4096)]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class _Millisecond(NamedTuple):
    """The ids of one millisecond: a plain tuple, which `new_id` unpacks in one step."""

    until: datetime
    counters: Iterator[str]
    head: str
    tail: str


def _millisecond(moment: datetime) -> _Millisecond:
    number = (moment - _EPOCH) // _MILLISECOND
    text = f"{number & 0xFFFF_FFFF_FFFF:012x}"
    bits = f"{1 << 63 | _random.getrandbits(62):016x}"
    return _Millisecond(
        until=_EPOCH + (number + 1) * _MILLISECOND,
        counters=iter(_COUNTERS),
        head=f"{text[:8]}-{text[8:]}-7",
        tail=f"{bits[:4]}-{bits[4:]}",
    )


def new_id() -> str:
    """Return a new UUIDv7 as text: unique, and increasing within a thread."""
    return id_at(datetime.now(UTC))


def id_at(moment: datetime) -> str:
    """Return a new id, as `new_id` does, where the present time is at hand."""
    until, counters, head, tail = _current
    if moment >= until:
        until, counters, head, tail = _advance(moment)
    try:
        return f"{head}{next(counters)}{tail}"
    except StopIteration:
        return id_at(until)  # borrowed from the next millisecond


def _advance(moment: datetime) -> _Millisecond:
    """Go on to the millisecond of a moment, if nobody else is doing so."""
    global _current  # noqa: PLW0603  one generator a process
    # Whoever finds the lock taken goes on with the millisecond that is there: waiting would
    # deadlock a signal handler that interrupted the holder.
    if not _advancing.acquire(blocking=False):
        # Used up, and not to be replaced now: a millisecond of one's own has other random bits.
        return _current if length_hint(_current.counters) else _millisecond(moment)
    try:
        if moment >= _current.until:
            _current = _millisecond(moment)
        return _current
    finally:
        _advancing.release()


def _reset() -> None:
    """Start with a seed of the system's; a forked child must not repeat its parent's ids."""
    global _advancing, _current, _random  # noqa: PLW0603  one generator a process
    _random = Random(int.from_bytes(os.urandom(32)))
    _advancing = Lock()
    _current = _millisecond(datetime.now(UTC))


_random = Random(0)
_advancing = Lock()
_current = _millisecond(_EPOCH)
_reset()
os.register_at_fork(after_in_child=_reset)
