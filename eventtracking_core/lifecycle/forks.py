"""Reset state in a forked child, also after a fork that Python did not notice.

`os.fork` runs at-fork hooks; uWSGI and other programs that embed Python, and `fork()` called from
C, do not. So code that uses state of this process checks `same_process` first.
"""

from __future__ import annotations

import _frozen_importlib
import _imp
import _thread
import mmap
import os
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from threading import RLock
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from ctypes import PyDLL

__all__ = ["check_fork", "expect_forks", "on_fork", "reset_after_fork", "same_process"]

_python: PyDLL | None = None
"""The interpreter's and the system's functions, once forks are expected."""

_THREADS: Final = 17
"""Where the number of threads is in `/proc/self/stat`, behind the name of the program."""

_WIPE_ON_FORK: Final = getattr(mmap, "MADV_WIPEONFORK", 18)  # Python has no name for it yet

_Reset = TypeVar("_Reset", bound=Callable[[], object])


class _Mark(Protocol):
    def __getitem__(self, index: int, /) -> int: ...
    def __setitem__(self, index: int, value: int, /) -> None: ...


class _Pid:
    """The mark where memory cannot be wiped: compares process ids, at ten times the cost."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    def __getitem__(self, index: int, /) -> int:
        return self._pid == os.getpid()

    def __setitem__(self, index: int, value: int, /) -> None:
        self._pid = os.getpid()


def _mark() -> _Mark:
    """Return a byte that the kernel clears in a forked child."""
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        page.madvise(_WIPE_ON_FORK)
    except (AttributeError, OSError, ValueError):
        return _Pid()
    page[0] = 1
    return page


same_process: Final = _mark()
"""`same_process[0]` is false in a forked child until `reset_after_fork` has run there."""

_resets: Final[list[Callable[[], object]]] = []
_pending: Iterator[Callable[[], object]] | None = None
_is_announced = False
# A child's own lock: that of its parent may be held, by a thread that the child does not have.
_locks: Final[dict[int, RLock]] = {}


def on_fork(reset: _Reset) -> _Reset:
    """Call a function in every forked child, before the state that it resets is used."""
    _resets.append(reset)
    return reset


def expect_forks() -> None:
    """Load what is needed after a fork that is not noticed: a child can import nothing then.

    Raises:
        ImportError: the system has no such library; neither have those that raise the others.
        OSError: as above.
        TypeError: as above.
    """
    global _python  # noqa: PLW0603  one interpreter a process
    if _python is None:
        from ctypes import PyDLL  # noqa: PLC0415  costs imports

        _python = PyDLL(None)


def check_fork() -> None:
    """Reset the parent's state if this process is a child that was forked unnoticed."""
    if not same_process[0]:
        reset_after_fork()


def reset_after_fork() -> None:
    """Call the functions of `on_fork`, once a process; other threads wait until that is done."""
    if not _is_announced:
        _announce()
    _reset()


def _announce() -> None:
    """Run Python's own after-fork code for an unnoticed fork, if that is safe and needed.

    Threads of the parent that were waiting for the interpreter's lock leave it in a state in which
    the child's first thread would hang. There must be no thread yet that the interpreter would
    forget.
    """
    global _is_announced  # noqa: PLW0603  one fork at a time
    python = _python
    if python is None or _imp.lock_held():
        return
    if not (_thread._count() and _is_alone(python)):  # noqa: SLF001  it counts the parent's threads
        return
    if python.PyInterpreterState_Get() == python.PyInterpreterState_Main():
        _is_announced = True
        _imp.acquire_lock()  # as before a fork; Python lets go of it
        python.PyOS_AfterFork_Child()


def _is_alone(python: PyDLL) -> bool:
    """Return whether this is the only thread of the process, as the system counts.

    Nothing here releases the interpreter's lock: that would wait for threads of the parent.
    """
    from ctypes import create_string_buffer  # noqa: PLC0415  imported before

    text = create_string_buffer(1024)
    file = python.open(b"/proc/self/stat", os.O_RDONLY)
    size = python.read(file, text, len(text))
    python.close(file)
    numbers = text.raw[: max(size, 0)].rpartition(b")")[2].split()
    return numbers[_THREADS : _THREADS + 1] == [b"1"]


def _reset() -> None:
    global _pending  # noqa: PLW0603  one set of resets a process
    with _locks.setdefault(os.getpid(), RLock()):
        if same_process[0]:
            return
        # A signal handler that emits in the middle of this goes on where it interrupted it.
        _pending = _pending or iter(_resets)
        for reset in _pending:
            try:
                reset()
            except Exception:  # the others must run
                from logging import getLogger  # noqa: PLC0415  costs imports

                getLogger("eventtracking").exception("a reset after a fork failed")
            except BaseException:  # an interrupt: the next call does it again
                _pending = chain([reset], _pending)
                raise
        _pending = None
        same_process[0] = 1


def _forget_imports() -> None:
    """Let a child import what a thread of its parent, such as one that delivers, was importing.

    It would find a module that is half there, or wait for that thread forever. This relies on
    Python's own code, and does nothing where it is different. Greenlets that import go on.
    """
    if type(_thread.allocate_lock()).__module__ != "_thread":
        return
    locks = getattr(_frozen_importlib, "_module_locks", {})
    for name, lock in [(name, lock()) for name, lock in locks.copy().items()]:
        if getattr(lock, "owner", None) not in {None, _thread.get_ident()}:
            locks.pop(name, None)
            sys.modules.pop(name, None)


def _before_fork() -> None:
    global _is_announced  # noqa: PLW0603  one fork at a time
    _is_announced = True


def _after_in_parent() -> None:
    global _is_announced  # noqa: PLW0603  one fork at a time
    _is_announced = False


def _after_in_child() -> None:
    global _is_announced  # noqa: PLW0603  one fork at a time
    _forget_imports()
    _reset()
    _is_announced = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
