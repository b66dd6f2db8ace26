"""The life of a process: what happens to events when it forks, exits, or is told to end."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial, wraps
from importlib import import_module
from operator import attrgetter
from threading import get_ident, main_thread
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Protocol, TypeVar
from weakref import WeakSet

from eventtracking_core.events import end_of_process
from eventtracking_core.forks import check_fork, on_fork

if TYPE_CHECKING:
    from types import FrameType, ModuleType

__all__ = [
    "SHUTDOWN_TIMEOUT",
    "calls_below",
    "drain",
    "drain_by_default",
    "drain_on_sigterm",
    "end_first",
    "hold",
    "join",
    "join_holder",
    "let_go",
    "living",
    "uninterrupted",
]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

SHUTDOWN_TIMEOUT: Final = 5.0
"""Seconds that the end may take, where a configuration does not say otherwise."""

MAX_INTERRUPTIONS: Final = 100
"""Exceptions of signal handlers after which a drain no longer begins again."""


class Participant(Protocol):
    """An object that is reset in a forked child."""

    def forked(self) -> None:
        """Reset in a forked child."""


class Holder(Participant, Protocol):
    """An object that holds events, or a backend that may hold some."""

    @property
    def stage(self) -> int:
        """When it is shut down at exit: after all those of a lower number."""

    @property
    def shutdown_timeout(self) -> float:
        """Seconds that `shutdown` may take at the end of the process."""

    def close(self) -> None:
        """Accept no more events; deliver what is pending."""

    def shutdown(self, timeout: float) -> bool:
        """Deliver what is pending, within `timeout` seconds; return whether all was delivered."""


_participants: Final[WeakSet[Participant]] = WeakSet()
_living: Final[WeakSet[Holder]] = WeakSet()
_holding: Final[set[Holder]] = set()


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
    """Return how many calls of some functions this thread is in: a signal handler may be."""
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


# ── signals ──

_postponed: Final[list[Callable[[], object]]] = []
_observed: Final[list[bool]] = []
_set_handler = signal.signal
_drains_by_default = True

_OF_SERVERS: Final = {
    getattr(signal, name) for name in ("SIGINT", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
}
"""Signals, besides SIGTERM, that servers handle, and raise again at their end."""


def uninterrupted(function: Callable[P, R]) -> Callable[P, R]:
    """Make our own handlers of SIGTERM wait until a function returns."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        finally:
            if _postponed and _is_main_thread() and not _is_inside(sys._getframe(1)):  # noqa: SLF001
                act = _postponed[0]
                _postponed.clear()
                act()

    return call


_CALL: Final = uninterrupted(lambda: None).__code__


def _is_inside(frame: FrameType | None) -> bool:
    """Return whether a function that must not be interrupted is below a frame."""
    while frame is not None:
        if frame.f_code is _CALL:
            return True
        frame = frame.f_back
    return False


def _is_main_thread() -> bool:
    return get_ident() == main_thread().ident


def _end_by_signal(number: int, frame: FrameType | None = None) -> None:
    """Handle SIGTERM: deliver what is pending, then end by the signal."""
    if _is_inside(frame):
        _postponed.append(lambda: _end_by_signal(number))
        return
    with suppress(BaseException):
        drain()
    _set_handler(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def drain_by_default() -> None:
    """Drain before SIGTERM ends this process, where no other handler is installed.

    Servers such as uvicorn install a handler while they run, then restore the default one and raise
    the signal again. That ends a process without running Python, so the default handler is
    replaced, now and whenever it is restored.
    """
    global _set_handler  # noqa: PLW0603  one in a process
    if not _drains_by_default:
        return
    if not _observed:
        _observed.append(True)
        _set_handler = signal.signal
        signal.signal = _signal  # type: ignore[assignment]
    if _is_main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        _set_handler(signal.SIGTERM, _end_by_signal)


def _signal(number: int, handler: Any) -> Any:
    """Set a handler as `signal.signal` does; one that ends the process by default drains first."""
    if handler == signal.SIG_DFL and _drains_by_default and _is_taken_back(number):
        handler = _end_by_signal
    previous = _set_handler(number, handler)
    return signal.SIG_DFL if previous is _end_by_signal else previous


def _is_taken_back(number: int) -> bool:
    """Return whether the default handler of a signal is restored, as a server does at its end."""
    if number == signal.SIGTERM:
        return True
    # Programs that set the default one for SIGINT themselves want it to work while C code runs.
    current = signal.getsignal(number) if number in _OF_SERVERS else None
    return callable(current) and current is not signal.default_int_handler


def drain_on_sigterm(enabled: bool = True) -> None:  # noqa: FBT001, FBT002  reads well
    """Deliver what waits when SIGTERM arrives, then do what would have been done without us.

    Without a call, this is so for backends with a queue where no handler is installed. Call it in
    the main thread, after a handler is installed that ends the process without Python's exit
    handlers. Draining is bounded by the trackers' `shutdown_timeout`; the handler that was there
    before is called after it, and where there was none, the process ends by the signal.

    Args:
        enabled: `False` lets SIGTERM end the process at once, where no handler is installed.

    Raises:
        ValueError: it was called outside the main thread.
    """
    global _drains_by_default  # noqa: PLW0603  one in a process
    previous = signal.getsignal(signal.SIGTERM)
    if not enabled:
        _drains_by_default = False
        if previous is _end_by_signal:
            _set_handler(signal.SIGTERM, signal.SIG_DFL)
        return

    def drain_first(number: int, frame: FrameType | None) -> None:
        if _is_inside(frame):
            _postponed.append(lambda: drain_first(number, None))
            return
        drain()
        if callable(previous):
            previous(number, frame)
        elif previous != signal.SIG_IGN:
            _end_by_signal(number)

    _set_handler(signal.SIGTERM, drain_first)


@uninterrupted
def drain() -> None:
    """Close everything that holds events, and deliver them before the longest timeout ends.

    An exception that a signal handler raises meanwhile is raised at the end.
    """
    check_fork()  # what the parent holds is the parent's to deliver
    holders = sorted({*_all(_holding), *living()}, key=attrgetter("stage"))
    deadline = monotonic() + max((each.shutdown_timeout for each in holders), default=0.0)
    steps: list[Callable[[], object]] = [each.close for each in holders]
    steps += [partial(_shutdown, each, deadline) for each in holders]
    steps.reverse()
    interruptions: list[BaseException] = []
    while steps:
        try:
            steps[-1]()
            steps.pop()
        except BaseException as error:  # noqa: BLE001  a signal handler may raise anything
            interruptions.append(error)
            if len(interruptions) > MAX_INTERRUPTIONS:
                steps.pop()
    if interruptions:
        raise interruptions[0]


def _all(objects: Iterable[T]) -> list[T]:
    while True:
        with suppress(RuntimeError):  # another thread added one meanwhile
            return list(objects)


def _shutdown(holder: Holder, deadline: float) -> None:
    holder.shutdown(max(0.0, deadline - monotonic()))


# ── exit ──


@atexit.register
def _at_exit() -> None:
    with suppress(KeyboardInterrupt, SystemExit):  # the process ends already
        drain()
    end_of_process()


def end_first() -> None:
    """Drain, at exit, before the exit handlers that were registered until now.

    For backends that hand events to a library which closes itself at exit.
    """
    atexit.unregister(_at_exit)
    atexit.register(_at_exit)


# ── fork ──


@on_fork
def _forked() -> None:
    _holding.clear()  # those are the parent's events
    for each in _all(_participants):
        each.forked()
    for package in _PACKAGES:
        if package in sys.modules:
            _drain_in_children_of(package)


_PACKAGES: Final = ("multiprocessing", "billiard", "multiprocess")
"""Packages whose child processes may end without `atexit`; the others are forks of the first."""


def _drain_in_children_of(package: str) -> None:
    """Drain at the end of a child process, whether it or its parent imported us.

    A child drops its parent's finalizers as it begins, then calls what is registered for that
    moment. A child that imports us has done that already.
    """
    util = import_module(f"{package}.util")
    process = import_module(f"{package}.process")
    drain_with = partial(_drain_with, util)
    util.register_after_fork(drain, drain_with)
    if getattr(process.current_process(), "_parent_pid", None) is not None:
        drain_with()


def _drain_with(util: ModuleType, _registered: object = None) -> None:
    util.Finalize(None, drain, exitpriority=0)


for _package in _PACKAGES:
    if f"{_package}.util" in sys.modules:
        _drain_in_children_of(_package)
