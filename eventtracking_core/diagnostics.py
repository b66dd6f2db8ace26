"""The framework's own log: the stdlib logger `eventtracking`, rate-limited.

No payload of an event and no option's value is ever logged: errors are described by their
type and place, unless they are ours or the operating system's. A line is one line: what does not
print is escaped, and long texts are cut.
"""

from __future__ import annotations

from contextvars import ContextVar
from time import monotonic
from typing import TYPE_CHECKING, Final

from eventtracking_core._text import kind_name, printable
from eventtracking_core.errors import EventTrackingError
from eventtracking_core.lifecycle.interrupts import pass_on

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger

__all__ = [
    "ERROR", "INFO", "WARNING", "describe", "log", "observers", "our_logger", "report",
    "report_backend", "warn_of_event",
]  # fmt: skip

INFO: Final = 20
WARNING: Final = 30
ERROR: Final = 40
"""Levels of `logging`, which most programs import, but not all of them for us."""

observers: Final[list[Callable[[str, str, str], object]]] = []
"""Callbacks for each warning of an event, given its code, name and message: for tests."""

INTERVAL: Final = 20.0
"""Seconds in which a problem is logged once."""

MAX_KEYS: Final = 1000

MAX_LOGGED: Final = 10_000
"""Problems of events that are remembered: applications have few."""

_logging: Final[ContextVar[bool]] = ContextVar("eventtracking_logging", default=False)

# By problem: when it was last logged, and how often it came up since.
_seen: dict[object, tuple[float, int]] = {}


def report(level: int, key: object, message: str, *args: object, **fields: object) -> None:
    """Log a problem, at most once in 20 seconds for each key.

    Args:
        level: the level.
        key: tells problems apart. It may hold an object, but not its `id`: another object may have
            that soon.
        message: as for `log`.
        args: as for `log`.
        fields: as for `log`.
    """
    now = monotonic()
    last, hidden = _seen.get(key, (-INTERVAL, 0))
    if now - last < INTERVAL:
        _seen[key] = (last, hidden + 1)
        return
    if len(_seen) >= MAX_KEYS:
        _seen.clear()
    _seen[key] = (now, 0)
    if hidden:
        message += " (and %d more in between)"
        args = (*args, hidden)
    log(level, message, *args, **fields)


def report_backend(
    level: int, path: str, problem: object, message: str, *args: object, **fields: object
) -> None:
    """Log a problem of a backend, as `report` does, with its path in the message and the record.

    Args:
        level: the level.
        path: the path of its leaf.
        problem: the key, for this backend.
        message: goes on behind the backend's path.
        args: as for `log`.
        fields: as for `log`.
    """
    report(level, (path, problem), f"backend %s{message}", path, *args, backend=path, **fields)


def warn_of_event(
    code: str,
    name: str,
    field: str | None,
    message: str,
    logged: set[tuple[str, str, str | None]],
) -> None:
    """Warn of a problem of an event: call the observers each time, and log it the first time.

    Args:
        code: the kind of problem.
        name: the event's name.
        field: the path of the field that is wrong, if it is one.
        message: what is wrong, without any value.
        logged: the problems that were logged; this one is added.
    """
    where = name if field is None else f"{name}: {field}"
    for observer in observers.copy():
        observer(code, where, message)
    if (code, name, field) not in logged and len(logged) < MAX_LOGGED:
        logged.add((code, name, field))
        log(WARNING, "event %s: %s", where, message, code=code, event_name=name, field=field)


def log(level: int, message: str, *args: object, **fields: object) -> None:
    """Log, unless a handler of this very logger caused the message: that would not end.

    A handler that fails is the log's problem, and not the application's.

    Args:
        level: the level.
        message: the message.
        args: for the message; the class of an error among them is the attribute `error`.
        fields: more attributes of the record.
    """
    if _logging.get():
        return
    token = _logging.set(True)
    try:
        logger = our_logger()
        # `logging.config` disables, by default, every logger that it does not name. No one
        # decides that for a logger they do not know: its level and handlers are what counts.
        logger.disabled = False
        for each in args:
            if isinstance(each, BaseException):
                fields.setdefault("error", kind_name(each))
        logger.log(level, message, *map(_loggable, args), extra=fields)
    except Exception as error:  # noqa: BLE001  as the docstring says
        pass_on(error)
    finally:
        _logging.reset(token)


def our_logger() -> Logger:
    """Return the logger `eventtracking`."""
    from logging import getLogger  # noqa: PLC0415  costs imports

    return getLogger("eventtracking")


def describe(error: BaseException) -> str:
    """Return what can be said of an error without its payload: its type, and its place or text."""
    kind = printable(kind_name(error))
    try:
        if isinstance(error, EventTrackingError):
            return printable(f"{kind}: {error}".removesuffix(": "))
        if isinstance(error, OSError) and error.strerror:
            return printable(f"{kind}: {error.strerror}")
    except Exception as failure:  # noqa: BLE001  an error of a stranger's may not even be printed
        pass_on(failure)
        return kind
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return kind
    return printable(f"{kind} at {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}")


def _loggable(value: object) -> object:
    if isinstance(value, BaseException):
        return describe(value)
    return printable(value) if isinstance(value, str) else value
