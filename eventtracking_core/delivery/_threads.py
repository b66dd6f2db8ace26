"""Starting a thread from wherever an event may be emitted, a signal handler among others."""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import Thread, main_thread

__all__ = ["start_daemon"]


def start_daemon(run: Callable[[], None], name: str) -> bool:
    """Run a function in a daemon thread of its own; tell whether one could be started."""
    # Once the interpreter ends, threads cannot be started: 3.11 would hang.
    if not main_thread().is_alive() or sys.is_finalizing():
        return False
    try:
        Thread(target=run, name=name, daemon=True).start()
    except RuntimeError:  # there are as many as there may be
        return False
    return True
