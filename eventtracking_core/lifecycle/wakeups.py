"""End the wait of a main thread that a signal did not end.

Python runs a signal's handler in the main thread, between two steps of Python code. A wait in C
code goes on if the signal arrived just before it began, or if the system handed the signal to
another thread, as it does with the second of two signals: a worker of a `multiprocessing.Pool` that
has to end as it begins to wait for work would wait forever.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from functools import partial
from threading import main_thread
from time import sleep
from typing import TYPE_CHECKING, Final

from eventtracking_core.lifecycle.forks import on_fork
from eventtracking_core.lifecycle.threads import ENDING_SIGNALS, start_daemon

if TYPE_CHECKING:
    from _socket import socket
    from types import FrameType

__all__ = ["handled_signals", "wake_after_signals"]

PAUSE: Final = 0.05
"""Time, in seconds, in which a handler begins where nothing is in its way."""

_NUDGE: Final = getattr(signal, "SIGURG", 0)
"""A signal that the system ignores unless it is handled, and that hardly any program uses."""

_descriptors: Final[list[int]] = []
_waiting: Final[list[bool]] = []
"""Whether a handler of a signal that arrived may not have begun; changed in one step each."""


def wake_after_signals() -> None:
    """Interrupt the main thread after a signal that ends processes, until its handler has begun.

    It is interrupted by another signal, `SIGURG`: Python runs the handlers of all signals that
    arrived, in the order of their numbers, so each begins once.

    Nothing is done where the system or another library is in the way: without Linux's credentials
    of sockets, after monkey patching, if `signal.set_wakeup_fd` or `SIGURG` is in use.

    Raises:
        ValueError: it was called outside the main thread.
    """
    if _descriptors or type(threading.Lock()).__module__ != "_thread":
        return
    import _socket  # noqa: PLC0415  few processes get here

    from eventtracking_core.files.descriptors import dup_high  # noqa: PLC0415  as above

    if not hasattr(_socket, "SO_PASSCRED") or not _may_nudge():
        return
    previous = signal.set_wakeup_fd(-1)
    if previous != -1:
        signal.set_wakeup_fd(previous)
        return
    with suppress(OSError):  # there are as many descriptors as there may be
        reader, writer = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_DGRAM)
        reader.setsockopt(_socket.SOL_SOCKET, _socket.SO_PASSCRED, 1)
        writer.setblocking(False)  # noqa: FBT003  its only parameter
        # Programs that close all descriptors must not soon have files of these numbers.
        reader = _socket.socket(fileno=dup_high(reader.fileno()))
        _descriptors.append(dup_high(writer.fileno()))
        signal.signal(_NUDGE, _interrupted)
        signal.set_wakeup_fd(_descriptors[0], warn_on_full_buffer=False)
        start_daemon(partial(_watch, reader, os.getpid()), "eventtracking-signals")


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    """Handle the signal that interrupts: those with a lower number are handled before it."""
    _waiting.clear()


def _may_nudge() -> bool:
    handler = signal.getsignal(_NUDGE)
    is_unused = handler == signal.SIG_DFL and not handled_signals() >> (_NUDGE - 1) & 1
    return is_unused or handler is _interrupted


def handled_signals() -> int:
    """Return a bit mask of the signals with a handler, where the system tells; else 0.

    `signal.getsignal` does not know the handlers of C code, such as uWSGI's and `faulthandler`'s.
    """
    with suppress(OSError, ValueError), open("/proc/self/status", "rb") as status:  # noqa: PTH123  imports less
        for line in status:
            if line.startswith(b"SigCgt:"):
                return int(line.split()[1], 16)
    return 0


def _watch(reader: socket, pid: int) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)  # they are for the main thread
    while True:
        try:
            number, credentials, _, _ = reader.recvmsg(1, 64)
        except OSError:  # the program has closed all descriptors
            return
        # First is the sender's process; a child that was forked unnoticed has the descriptors too.
        if not credentials or int.from_bytes(credentials[0][2][:4], sys.byteorder) != pid:
            continue
        if number[0] not in ENDING_SIGNALS:
            continue
        _waiting[:] = [True]
        sleep(PAUSE)
        while _waiting and signal.getsignal(_NUDGE) is _interrupted:
            signal.pthread_kill(main_thread().ident or 0, _NUDGE)
            sleep(PAUSE)


@on_fork
def _forked() -> None:
    """Let signals of this process wake no thread of its parent."""
    _waiting.clear()
    if _descriptors:
        with suppress(ValueError):  # not the main thread
            previous = signal.set_wakeup_fd(-1)
            if previous not in {-1, _descriptors[0]}:
                signal.set_wakeup_fd(previous)
        _descriptors.clear()
