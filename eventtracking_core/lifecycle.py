"""The life of a process: what happens to events when it forks, exits, or is told to end."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from functools import partial
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol
from weakref import WeakSet

from eventtracking_core.events import end_of_process
from eventtracking_core.forks import check_fork, on_fork

if TYPE_CHECKING:
    from types import FrameType, ModuleType

__all__ = ["drain", "drain_on_sigterm", "end_first", "join"]


class Participant(Protocol):
    """An object that is told of the end of its process, and of a fork."""

    @property
    def shutdown_timeout(self) -> float:
        """Seconds that `shutdown` may take."""

    def close(self) -> None:
        """Accept no more events."""

    def shutdown(self, timeout: float) -> bool:
        """Deliver what is pending, within `timeout` seconds; return whether all was delivered."""

    def forked(self) -> None:
        """Reset in a forked child."""


_participants: Final[WeakSet[Participant]] = WeakSet()


def join(participant: Participant) -> None:
    """Tell a participant of forks and of the end, as long as it lives."""
    _participants.add(participant)


def drain() -> None:
    """Close everything that holds events, and deliver them before the longest timeout ends."""
    check_fork()  # what the parent holds is the parent's to deliver
    participants = list(_participants)
    longest = max((each.shutdown_timeout for each in participants), default=0)
    deadline = monotonic() + longest
    for each in participants:
        each.close()
    for each in participants:
        each.shutdown(max(0.0, deadline - monotonic()))


def drain_on_sigterm() -> None:
    """Deliver what waits when SIGTERM arrives, then do what would have been done without us.

    Call it in the main thread, after whatever else installs a handler. Draining is bounded by the
    trackers' `shutdown_timeout`; the handler that was there before is called after it, and where
    there was none, the process ends by the signal.

    Raises:
        ValueError: it was called outside the main thread.
    """
    previous = signal.getsignal(signal.SIGTERM)

    def drain_first(number: int, frame: FrameType | None) -> None:
        drain()
        if callable(previous):
            previous(number, frame)
        elif previous != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, drain_first)


@atexit.register
def _at_exit() -> None:
    drain()
    end_of_process()


def end_first() -> None:
    """Drain, at exit, before the exit handlers that were registered until now.

    For backends that hand events to a library which closes itself at exit.
    """
    atexit.unregister(_at_exit)
    atexit.register(_at_exit)


@on_fork
def _forked() -> None:
    for each in list(_participants):
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
