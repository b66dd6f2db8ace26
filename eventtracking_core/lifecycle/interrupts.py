"""Exceptions that interrupt our code instead of being raised by it.

A signal handler that raises (Celery's `SoftTimeLimitExceeded`), a timeout thrown into a greenlet,
an exception that another thread set: they belong to the application, which waits for them, and pass
through `emit`. Exceptions that a component raises itself stop in the tree. Tracebacks
tell the two apart:

- A signal handler is called with the frame it interrupts. It is therefore the one function whose
  caller, in the traceback, is among its own arguments.
- An exception that was set from outside appears at an instruction that raises none: at the begin of
  a function, or where a loop goes back.
- A greenlet is ended and timed out by classes of `greenlet`, gevent and eventlet that are not an
  `Exception`.
- `KeyboardInterrupt` and `SystemExit` are the application's, whatever raises them, also in an
  exception group, as of a Trio nursery.

A component that replaces such an exception by one of its own does not hide it: causes and contexts
are looked at too.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

__all__ = ["StoredError", "interrupt_in", "pass_on"]

MAX_CHAIN: Final = 16
"""Exceptions behind one another that are looked at."""

_GREENLETS: Final = frozenset({"eventlet", "gevent", "greenlet"})
_GENERATORS: Final = 0x20 | 0x80 | 0x200
"""Flags of code whose frame, once it has ended, does not know any more who called it."""
_RAISE_NOTHING: Final = frozenset({"RESUME", "JUMP_BACKWARD"})


class StoredError(BaseException):
    """An interrupt, its cause, came when the event was stored already."""


def pass_on(error: BaseException) -> None:
    """Raise the interrupt that an exception is or hides; return if a component failed.

    Args:
        error: the exception that was just caught.
    """
    interrupt = interrupt_in(error)
    if interrupt is not None:
        raise interrupt


def interrupt_in(error: BaseException) -> BaseException | None:
    """Return the interrupt that an exception is, or hides; None if a component raised it."""
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return error
    if isinstance(error, BaseExceptionGroup) and error.subgroup((KeyboardInterrupt, SystemExit)):
        return error
    for each in _chain(error):
        if _is_interrupt(each) and (each is error or not _is_earlier(each)):
            return each
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(MAX_CHAIN):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _is_interrupt(error: BaseException) -> bool:
    if isinstance(error, KeyboardInterrupt):
        return True
    if not isinstance(error, Exception) and any(
        base.__module__.partition(".")[0] in _GREENLETS for base in type(error).__mro__
    ):
        return True
    trace = error.__traceback__
    if trace is None:
        return False
    frames = {trace.tb_frame}
    while trace.tb_next is not None:
        frame, caller = trace.tb_next.tb_frame, trace.tb_frame
        if frame.f_back is not caller and not _is_within(frame, frames):
            return False  # an object that is raised again: this is left of an earlier time
        frames.add(frame)
        if _is_handler(frame, caller):
            return True
        trace = trace.tb_next
    return _instruction(trace) in _RAISE_NOTHING


def _is_within(frame: FrameType | None, frames: set[FrameType]) -> bool:
    """Return whether a frame is one of those, or was called by one; a generator's may be."""
    while frame is not None:
        if frame in frames:
            return True
        if frame.f_back is None:
            return bool(frame.f_code.co_flags & _GENERATORS)
        frame = frame.f_back
    return False


def _is_handler(frame: FrameType, caller: FrameType) -> bool:
    return any(
        value is caller or (type(value) is tuple and any(each is caller for each in value))
        for value in frame.f_locals.values()
    )


def _instruction(trace: TracebackType) -> str:
    try:
        from opcode import opname  # noqa: PLC0415  few programs get here
    except ImportError:  # the interpreter is shutting down
        return ""
    code = trace.tb_frame.f_code.co_code
    return opname[code[trace.tb_lasti]] if 0 <= trace.tb_lasti < len(code) else ""


def _is_earlier(error: BaseException) -> bool:
    """Return whether the application caught an exception before it called us."""
    trace = error.__traceback__
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  the stack as it is
    while frame is not None and trace is not None:
        if frame is trace.tb_frame:
            return True
        frame = frame.f_back
    return False
