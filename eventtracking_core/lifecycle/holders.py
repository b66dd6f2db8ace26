"""Objects that hold events: closed when the process ends, reset after a fork."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from operator import attrgetter
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol, TypeVar
from weakref import WeakSet

from eventtracking_core.deadlines import seconds_until
from eventtracking_core.lifecycle.forks import on_fork, same_process

if TYPE_CHECKING:
    from types import FrameType

__all__ = [
    "calls_below",
    "close_all",
    "hold",
    "join",
    "join_holder",
    "let_go",
    "living",
]

T = TypeVar("T")

MAX_INTERRUPTIONS: Final = 100
"""Exceptions of signal handlers after which a step is not repeated."""


class Participant(Protocol):
    """An object that is reset in a forked child."""

    def forked(self) -> None:
        """Reset in a forked child."""


class Holder(Participant, Protocol):
    """An object that holds events, or a backend that may hold some."""

    @property
    def stage(self) -> int:
        """The order of shutdown at exit: lower stages first."""

    @property
    def shutdown_timeout(self) -> float:
        """Timeout, in seconds, of `shutdown` at the end of the process."""

    def close(self) -> None:
        """Accept no more events; deliver what is pending."""

    def shutdown(self, timeout: float) -> bool:
        """Deliver what is pending, within `timeout` seconds; return whether all was delivered."""


_participants: Final[WeakSet[Participant]] = WeakSet()
_living: Final[WeakSet[Holder]] = WeakSet()
_holding: Final[set[Holder]] = set()
_overdue: Final[WeakSet[Holder]] = WeakSet()
"""Those that did not end in time: exit handlers and further signals do not wait for them again."""


def join(participant: Participant) -> None:
    """Reset an object in forked children, as long as it lives."""
    _participants.add(participant)


def join_holder(holder: Holder) -> None:
    """Reset an object in forked children, and shut it down at exit, as long as it lives."""
    _participants.add(holder)
    _living.add(holder)


def hold(holder: Holder) -> None:
    """Keep an object that holds events alive, so that they are delivered at exit."""
    _holding.add(holder)


def calls_below(*functions: Callable[..., object]) -> int:
    """Return how many calls of these functions the current thread is in.

    A signal handler may run inside of some.
    """
    codes = {getattr(function, "__code__", None) for function in functions} - {None}
    number = 0
    below: FrameType | None = sys._getframe(1)  # noqa: SLF001  the way to look at a stack
    while below is not None:
        number += below.f_code in codes
        below = below.f_back
    return number


def living() -> list[Holder]:
    """Return the objects that are shut down at exit."""
    return _all(_living)


def let_go(holder: Holder) -> None:
    """Forget an object that holds no events any more."""
    _holding.discard(holder)


def close_all() -> None:
    """Close all objects that hold events, and deliver those within the longest timeout.

    So are those that a signal handler, a backend or a thread makes meanwhile, each of them once.
    An exception that a signal handler raises meanwhile is raised at the end.
    """
    if not same_process[0]:  # a child that never used us: what its parent holds is the parent's
        return
    began = deadline = monotonic()
    closed: set[Holder] = set()
    interruptions: list[BaseException] = []
    while (holders := _holders() - closed) and (not closed or monotonic() < deadline):
        deadline = max(deadline, *(began + each.shutdown_timeout for each in holders))
        _close(sorted(holders, key=attrgetter("stage")), deadline, interruptions)
        closed |= holders
    if interruptions:
        raise interruptions[0]


def _close(holders: list[Holder], deadline: float, interruptions: list[BaseException]) -> None:
    steps: list[Callable[[], object]] = [each.close for each in holders]
    steps += [partial(_shutdown, each, deadline) for each in holders]
    steps.reverse()
    while steps:
        try:
            steps[-1]()
            steps.pop()
        except BaseException as error:  # noqa: BLE001  a signal handler may raise anything
            interruptions.append(error)
            if len(interruptions) > MAX_INTERRUPTIONS:
                steps.pop()


def _holders() -> set[Holder]:
    return {*_all(_holding), *living()}


def _all(objects: Iterable[T]) -> list[T]:
    while True:
        with suppress(RuntimeError):  # another thread added one meanwhile
            return list(objects)


def _shutdown(holder: Holder, deadline: float) -> None:
    if not holder.shutdown(0 if holder in _overdue else seconds_until(deadline)):
        _overdue.add(holder)


@on_fork
def _forked() -> None:
    _holding.clear()  # those are the parent's events
    _overdue.clear()
    for each in _all(_participants):
        each.forked()
