"""End the wait of a main thread that a signal missed by a moment.

Python runs a signal's handler in the main thread, between two steps of Python code. A wait in C
code that begins just after the signal arrived goes on: a worker of a `multiprocessing.Pool` that
has to end as it begins to wait for work would wait forever.
"""

from __future__ import annotations

import os
import signal
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import main_thread
from time import sleep
from typing import TYPE_CHECKING, Final

from eventtracking_core._threads import start_daemon
from eventtracking_core.descriptors import dup_high
from eventtracking_core.forks import on_fork

if TYPE_CHECKING:
    from _socket import socket

__all__ = ["repeat_signals"]

PAUSE: Final = 0.05
"""Time, in seconds, in which a handler begins where nothing is in its way."""

_CREDENTIALS: Final = struct.Struct("3i")

_descriptors: Final[list[int]] = []


def repeat_signals(is_due: Callable[[int], bool]) -> None:
    """Repeat a signal that this process received, as long as its handler has not begun.

    Nothing is done where the system or another library is in the way: without Linux's credentials
    of sockets, after monkey patching, if `signal.set_wakeup_fd` is in use.

    Args:
        is_due: returns whether a signal, by its number, is still to be handled. It is called in
            another thread.

    Raises:
        ValueError: it was called outside the main thread.
    """
    if _descriptors or type(threading.Lock()).__module__ != "_thread":
        return
    import _socket  # noqa: PLC0415  few processes get here

    if not hasattr(_socket, "SO_PASSCRED"):
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
        signal.set_wakeup_fd(_descriptors[0], warn_on_full_buffer=False)
        start_daemon(partial(_repeat, reader, os.getpid(), is_due), "eventtracking-signals")


def _repeat(reader: socket, pid: int, is_due: Callable[[int], bool]) -> None:
    while True:
        try:
            number, credentials, _, _ = reader.recvmsg(1, 64)
        except OSError:  # the program has closed all descriptors
            return
        # A child that Python was not told of has the same descriptors.
        if not credentials or _CREDENTIALS.unpack(credentials[0][2])[0] != pid:
            continue
        sleep(PAUSE)
        while is_due(number[0]):
            signal.pthread_kill(main_thread().ident or 0, number[0])
            sleep(PAUSE)


@on_fork
def _forked() -> None:
    """Let signals of this process wake no thread of its parent."""
    if _descriptors:
        with suppress(ValueError):  # not the main thread
            previous = signal.set_wakeup_fd(-1)
            if previous not in {-1, _descriptors[0]}:
                signal.set_wakeup_fd(previous)
        _descriptors.clear()
