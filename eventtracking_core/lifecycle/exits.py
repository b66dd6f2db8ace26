"""Deliver pending events when the process, or a child of `multiprocessing`, ends."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from eventtracking_core.lifecycle.forks import on_fork
from eventtracking_core.lifecycle.signals import drain, interrupt_waits

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["end_first", "on_exit"]

_last: Final[list[Callable[[], object]]] = []


def on_exit(function: Callable[[], object]) -> None:
    """Call a function at exit, once everything is delivered."""
    _last.append(function)


def _at_exit() -> None:
    with suppress(KeyboardInterrupt, SystemExit):  # the process ends already
        drain()
        atexit.unregister(_at_exit)  # the second one: a backend that hangs is waited for once
        for function in _last:
            function()


def end_first() -> None:
    """Drain, at exit, before the exit handlers that are registered by now.

    For backends that pass events to a library which closes itself at exit.
    """
    atexit.unregister(_at_exit)
    # Twice, since an exception of a signal handler may strike before the first step of a call.
    atexit.register(_at_exit)
    atexit.register(_at_exit)


end_first()


@on_fork
def _forked() -> None:
    for package in _PACKAGES:
        if package in sys.modules:
            _drain_in_children_of(package)


_PACKAGES: Final = ("multiprocessing", "billiard", "multiprocess")
"""Packages whose child processes may end without `atexit`: `multiprocessing` and its forks."""


def _drain_in_children_of(package: str) -> None:
    """Drain at the end of a child process, whether it or its parent imported this module.

    A child drops its parent's finalizers as it begins, then calls what is registered for that
    moment. A child that imports us has done that already.
    """
    util = import_module(f"{package}.util")
    process = import_module(f"{package}.process")
    drain_with = partial(_drain_with, util)
    util.register_after_fork(drain, drain_with)
    current = process.current_process()
    # A spawned child imports its program first, and calls nothing that was registered before.
    if getattr(current, "_inheriting", False) or getattr(current, "_parent_pid", None) is not None:
        drain_with()


def _drain_with(util: ModuleType, _registered: object = None) -> None:
    util.Finalize(None, drain, exitpriority=0)
    interrupt_waits()  # a pool ends its workers by a signal, often as they begin to wait for work


for _package in _PACKAGES:
    if f"{_package}.util" in sys.modules:
        _drain_in_children_of(_package)
