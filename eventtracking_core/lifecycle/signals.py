"""Deliver pending events before a signal ends the process."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.lifecycle.forks import on_fork
from eventtracking_core.lifecycle.holders import close_all
from eventtracking_core.lifecycle.postponing import postponed, uninterrupted
from eventtracking_core.lifecycle.wakeups import handled_signals, wake_after_signals

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["drain", "drain_by_default", "drain_on_sigterm", "interrupt_waits"]

_observed: Final[list[bool]] = []
_keeps_at_forks: Final[list[bool]] = []
_masks: Final[dict[int, set[int]]] = {}
_taken_back: Final[set[int]] = set()
_interrupts_waits = False
_set_handler = signal.signal
_drains_by_default = True

_ENDS: Final = {
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
}
"""Signals that supervisors and terminals send, and that end a process without running Python."""

_OF_SERVERS: Final = {
    getattr(signal, name) for name in ("SIGINT", "SIGBREAK") if hasattr(signal, name)
}
"""Further signals that servers handle, and raise again at their end."""


@uninterrupted
def drain() -> None:
    """Close all objects that hold events, and deliver those within the longest timeout."""
    close_all()


def _end_by_signal(number: int, frame: FrameType | None = None) -> None:
    """Handle a signal: deliver what is pending, then end by the signal."""
    if postponed(partial(_end_by_signal, number), frame):
        return
    with suppress(BaseException):
        drain()
    _set_handler(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    # Still here: the system does not end a container's first process by such a signal. A server
    # that raised it again ends in its own way; nothing else ends, and its events would be dropped.
    if number not in _taken_back:
        os._exit(128 + number)


def drain_by_default() -> None:
    """Drain before SIGTERM, SIGHUP or SIGQUIT ends this process, where nothing else handles it.

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
    _keep_at_forks()
    default = [number for number in _ENDS if signal.getsignal(number) == signal.SIG_DFL]
    handled = handled_signals() if default else 0
    with suppress(ValueError):  # not the main thread
        for number in default:
            if not handled >> (number - 1) & 1:
                _set_handler(number, _end_by_signal)
        _interrupt_waits()


def interrupt_waits() -> None:
    """End a wait of the main thread that a signal did not end."""
    global _interrupts_waits  # noqa: PLW0603  one in a process
    _interrupts_waits = True
    _interrupt_waits()


def _interrupt_waits() -> None:
    if _interrupts_waits and _observed:
        with suppress(ValueError):  # not the main thread
            wake_after_signals()


@on_fork
def _forked() -> None:
    global _interrupts_waits  # noqa: PLW0603  one in a process
    _interrupts_waits = False


def _keep_at_forks() -> None:
    """Let signals that reach a child before its first step of Python code be handled there.

    Python drops those. They are blocked until the fork is done.
    """
    if not _keeps_at_forks and hasattr(os, "register_at_fork"):
        _keeps_at_forks.append(True)
        os.register_at_fork(
            before=_block, after_in_parent=_unblock, after_in_child=_unblock_in_child
        )


def _block() -> None:
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    _masks.setdefault(get_ident(), mask)


def _unblock() -> None:
    mask = _masks.pop(get_ident(), None)
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _unblock_in_child() -> None:
    _unblock()
    _masks.clear()  # of threads that a child does not have


def _signal(number: int, handler: Any) -> Any:
    """Set a handler as `signal.signal` does; one that ends the process by default drains first."""
    if handler == signal.SIG_DFL and _drains_by_default and _is_taken_back(number):
        if signal.getsignal(number) is not _end_by_signal:
            _taken_back.add(number)
        handler = _end_by_signal
    previous = _set_handler(number, handler)
    if handler is _end_by_signal:
        _interrupt_waits()
    return signal.SIG_DFL if previous is _end_by_signal else previous


def _is_taken_back(number: int) -> bool:
    """Return whether the default handler of a signal is restored, as a server does at its end."""
    if number in _ENDS:
        return True
    # Programs that set the default one for SIGINT themselves want it to work while C code runs.
    current = signal.getsignal(number) if number in _OF_SERVERS else None
    return callable(current) and current is not signal.default_int_handler


def drain_on_sigterm(enabled: bool = True) -> None:  # noqa: FBT001, FBT002  reads well
    """Deliver pending events when SIGTERM arrives, then call the handler that was installed.

    Without a call, this is so for backends with a queue where no handler is installed. Call it in
    the main thread, after a handler is installed that ends the process without Python's exit
    handlers. Draining is bounded by the trackers' `shutdown_timeout`; the handler that was there
    before is called after it, and where there was none, the process ends by the signal.

    Args:
        enabled: `False` lets SIGTERM, SIGHUP and SIGQUIT end the process at once, where no handler
            is installed.

    Raises:
        ValueError: it was called outside the main thread.
    """
    global _drains_by_default  # noqa: PLW0603  one in a process
    previous = signal.getsignal(signal.SIGTERM)
    if not enabled:
        _drains_by_default = False
        for number in _ENDS:
            if signal.getsignal(number) is _end_by_signal:
                _set_handler(number, signal.SIG_DFL)
        return

    def drain_first(number: int, frame: FrameType | None) -> None:
        if postponed(partial(drain_first, number), frame):
            return
        if previous == signal.SIG_IGN:
            drain()
        elif callable(previous) and previous is not _end_by_signal:
            drain()
            previous(number, frame)
        else:
            _end_by_signal(number)

    _keep_at_forks()
    _set_handler(signal.SIGTERM, drain_first)
