"""The event record, its name and its id."""

from __future__ import annotations

import os
from _random import Random
from hashlib import sha256
from itertools import count
from threading import Lock
from time import time_ns
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NotRequired, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["Event", "clean_name", "new_id"]

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
        digest = sha256(text.encode()).hexdigest()[:16]
        text = f"{text[: MAX_NAME - 17]}~{digest}"
    return text


# A UUIDv7 (RFC 9562) is the millisecond, a 12-bit counter and 62 random bits. One millisecond's
# ids share the random part, and differ in the counter: `next` on a C iterator is atomic among
# threads and signal handlers, so no lock is held while an id is made.
_COUNTERS: Final = [f"{value:03x}-" for value in range(4096)]
_NS: Final = 1_000_000


class _Millisecond(NamedTuple):
    """The ids of one millisecond: a plain tuple, which `new_id` unpacks in one step."""

    until: int
    next_position: Callable[[], int]
    head: str
    tail: str


def _millisecond(number: int) -> _Millisecond:
    bits = f"{1 << 63 | _random.getrandbits(62):016x}"
    return _Millisecond(
        (number + 1) * _NS, count().__next__, _head(number), f"{bits[:4]}-{bits[4:]}"
    )


def _head(millisecond: int) -> str:
    text = f"{millisecond & 0xFFFF_FFFF_FFFF:012x}"
    return f"{text[:8]}-{text[8:]}-7"


def new_id() -> str:
    """Return a new UUIDv7 as text: unique, and increasing within a thread."""
    until, next_position, head, tail = _current
    if time_ns() >= until:
        until, next_position, head, tail = _advance()
    position = next_position()
    if position >= 4096:  # noqa: PLR2004  the counter's 12 bits; past them, a later millisecond's
        borrowed, position = divmod(position, 4096)
        head = _head(until // _NS - 1 + borrowed)
    return f"{head}{_COUNTERS[position]}{tail}"


def _advance() -> _Millisecond:
    global _current  # noqa: PLW0603  one generator a process
    # Whoever finds the lock taken goes on with the millisecond that is there: waiting would
    # deadlock a signal handler that interrupted the holder.
    if _advancing.acquire(blocking=False):
        try:
            earliest = _current.until // _NS + _current.next_position() // 4096
            _current = _millisecond(max(time_ns() // _NS, earliest))
        finally:
            _advancing.release()
    return _current


def _reset() -> None:
    """Start with a seed of the system's; a forked child must not repeat its parent's ids."""
    global _advancing, _current, _random  # noqa: PLW0603  one generator a process
    _random = Random(int.from_bytes(os.urandom(32)))
    _advancing = Lock()
    _current = _millisecond(time_ns() // _NS)


_random = Random(0)
_advancing = Lock()
_current = _millisecond(0)
_reset()
os.register_at_fork(after_in_child=_reset)
