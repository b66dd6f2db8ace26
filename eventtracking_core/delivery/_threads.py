"""Starting a thread from wherever an event may be emitted, a signal handler among others."""

from __future__ import annotations

import sys
from _thread import start_new_thread
from collections.abc import Callable
from threading import Thread, main_thread

__all__ = ["start_daemon"]


def start_daemon(run: Callable[[], None], name: str) -> bool:
    """Run a function in a daemon thread of its own; tell whether one could be started."""
    # Once the interpreter ends, threads cannot be started: 3.11 would hang.
    if not main_thread().is_alive() or sys.is_finalizing():
        return False
    try:
        # `Thread.start` holds a lock of its module, which a signal handler may find taken.
        start_new_thread(_launch, (run, name))
    except RuntimeError:
        return False
    return True


def _launch(run: Callable[[], None], name: str) -> None:
    try:
        Thread(target=run, name=name, daemon=True).start()
    except RuntimeError:  # the interpreter ends
        run()
