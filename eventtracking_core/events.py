"""The event record, its name and its id."""

from __future__ import annotations

import os
from _random import Random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, product
from threading import RLock
from typing import Any, Final, NotRequired, TypedDict

from eventtracking_core._text import escaped
from eventtracking_core.lifecycle.forks import check_fork, on_fork
from eventtracking_core.lifecycle.interrupts import pass_on

__all__ = [
    "FIELDS",
    "Event",
    "as_utc",
    "clean_name",
    "end_of_process",
    "freeze_ids",
    "id_at",
    "new_id",
    "real",
    "shared_context",
]

UNKNOWN: Final = "unknown"
MAX_NAME: Final = 255
MAX_HASHED: Final = 4096
FIELDS: Final = 5
"""How many an event has before types are registered."""

shared_context: Final[list[dict[str, Any]]] = [{}]
"""The context that the last event shared with its frame: a dict that never changes."""

_LATEST: Final = datetime.max.replace(tzinfo=UTC)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


def real(kind: type) -> Any:
    """Return a class of the module `datetime`, also where another one took its place.

    While freezegun stops time, each module's `datetime` is a class of its own, which encoders in C
    refuse. Values in containers or functions are not converted.
    """
    return next(base for base in kind.__mro__ if base.__module__ == "datetime")


_DATETIME: Final = (real(datetime),)
_exact: Final = partial(_DATETIME[0], tzinfo=UTC)


class Event(TypedDict):
    """An event, which says what happened, to whom and where: a plain dict.

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

    A name that is empty or not text is `unknown`. Control characters are escaped, so that a name
    cannot forge a line in a log; a longer name keeps its head and a hash.
    """
    try:
        text = str.__str__(name) if isinstance(name, str) else ""
    except Exception as error:  # noqa: BLE001  an object may lie of its class
        pass_on(error)
        text = ""
    if not text:
        return UNKNOWN
    length, text = len(text), text[:MAX_HASHED]
    if not text.isprintable():
        text = escaped(text)
    if len(text) > MAX_NAME:
        from hashlib import sha256  # noqa: PLC0415  most programs never have such a name

        digest = sha256(f"{length}:{text}".encode()).hexdigest()[:16]
        text = f"{text[: MAX_NAME - 17]}~{digest}"
    return text


def as_utc(moment: datetime) -> datetime:
    """Return a datetime in UTC; one without an offset is taken as UTC, one out of range clamped."""
    if moment.tzinfo is UTC and type(moment) in _DATETIME:
        return moment
    exact: datetime = _exact(
        moment.year, moment.month, moment.day,
        moment.hour, moment.minute, moment.second, moment.microsecond,
    )  # fmt: skip
    try:
        offset = moment.utcoffset()
    except Exception as error:  # noqa: BLE001  a foreign tzinfo may raise anything
        pass_on(error)
        offset = None
    try:
        return exact - offset if offset else exact
    except OverflowError:
        return _LATEST if exact.year > 1 else _EARLIEST


# A UUIDv7 (RFC 9562) is the millisecond, a 12-bit counter and 62 random bits. One millisecond's
# ids share the random part, and differ in the counter: `next` on a list's iterator is one step for
# threads and signal handlers, so a lock is taken only when a new millisecond begins.
_COUNTERS: Final = [*map("".join, product(*["0123456789abcdef"] * 3, "-"))]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


_Millisecond = tuple[datetime, Iterator[str], str, str]
"""The ids of one millisecond: its end, the counters that are left, what ids begin and end with.

A plain tuple, since the interpreter unpacks it faster than a named one.
"""

_NO_IDS: Final[_Millisecond] = (_EARLIEST, iter(()), "", "")


def new_id() -> str:
    """Return a new UUIDv7 as text: unique, and increasing within a thread."""
    check_fork()
    return id_at(datetime.now(UTC))


def id_at(moment: datetime) -> str:
    """Return a new id, as `new_id` does, where the present time is at hand.

    A fork is noticed by the caller.
    """
    until, counters, head, tail = _current
    if moment >= until:
        until, counters, head, tail = _advance(moment)
    try:
        return f"{head}{next(counters)}{tail}"
    except StopIteration:
        return id_at(until)  # borrowed from the next millisecond


def _advance(moment: datetime) -> _Millisecond:
    """Advance to the millisecond of a moment, unless another thread has done so."""
    global _current  # noqa: PLW0603  one generator a process
    with _advancing[0]:
        seen = _current
        if moment >= seen[0]:
            number = (moment - _EPOCH) // _MILLISECOND
            text = f"{number & 0xFFFF_FFFF_FFFF:012x}"
            until = _EPOCH + (number + 1) * _MILLISECOND
            following = until, iter(_COUNTERS), f"{text[:8]}-{text[8:]}-7", _tail()
            # A signal handler that came in between has gone on already.
            if _current is seen:
                _current = following
        return _current


def _tail() -> str:
    bits = f"{1 << 63 | _random.getrandbits(62):016x}"
    return f"{bits[:4]}-{bits[4:]}"


def end_of_process() -> None:
    """Make what ids are still asked for without calculating with times.

    Python 3.13 crashes on that once it takes its modules apart. Each id has random bits of its own
    then, since the counter may start again.
    """
    global _current  # noqa: PLW0603  one generator a process
    counters: Iterator[str] = map(_counter_and_tail, count())
    _current = (_LATEST, counters, _current[2], "")


def _counter_and_tail(position: int) -> str:
    return f"{_COUNTERS[position % 4096]}{_tail()}"


def freeze_ids(moment: datetime) -> Callable[[], None]:
    """Make the same ids of one moment in every run, until what is returned is called; for tests."""
    global _current  # noqa: PLW0603  one generator a process
    counters: Iterator[str] = map("000-8000-{:012x}".format, count(1))
    _current = _NO_IDS
    _current = (_LATEST, counters, _advance(moment)[2], "")
    return _reset


def _reset() -> None:
    """Start with a seed of the system's; a forked child must not repeat its parent's ids."""
    global _advancing, _current, _random  # noqa: PLW0603  one generator a process
    _random = Random(int.from_bytes(os.urandom(32)))
    _advancing = (RLock(),)
    _current = _NO_IDS
    _advance(datetime.now(UTC))


_random = Random(0)
_advancing = (RLock(),)
"""In a tuple, where eventlet does not replace it: native threads acquire it too."""
_current = _NO_IDS
_reset()
on_fork(_reset)
