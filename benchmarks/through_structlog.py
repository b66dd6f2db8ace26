"""Our emit by way of structlog's loggers, before a backend that does nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Final

import structlog
from structlog.contextvars import bound_contextvars

from benchmarks.contestant import Contestant
from benchmarks.ours import NULL, counted
from benchmarks.sample import C1, C2, DATA, NAME
from eventtracking_core import Tracker
from eventtracking_structlog import TrackingLogger, tracking_wrapper

__all__ = ["LOG_EMIT", "LOG_EMIT_BOUND", "through_structlog"]

LOG_EMIT: Final = "ours: log.emit"
LOG_EMIT_BOUND: Final = "ours: log.emit, bound and contextvars"


def through_structlog(stack: ExitStack) -> list[Contestant]:
    """Return `log.emit` of the same event, its context kept by the tracker, and by structlog."""
    kept, bound = Tracker(), Tracker()

    @contextmanager
    def entered() -> Iterator[None]:
        with kept.context("request", C1), kept.context("user", C2):
            yield

    return [
        _contestant(LOG_EMIT, kept, {}, entered, stack),
        _contestant(LOG_EMIT_BOUND, bound, C2, lambda: bound_contextvars(**C1), stack),
    ]


def _contestant(
    name: str,
    tracker: Tracker,
    values: dict[str, Any],
    around: Callable[[], AbstractContextManager[None]],
    stack: ExitStack,
) -> Contestant:
    tracker.configure(NULL)
    stack.callback(tracker.shutdown)
    wrapper = tracking_wrapper(structlog.make_filtering_bound_logger("info"), tracker=tracker)
    logger: TrackingLogger = structlog.wrap_logger(structlog.ReturnLogger(), wrapper_class=wrapper)
    return Contestant(
        name,
        "log.emit(NAME, **DATA)",
        {"log": logger.bind(**values), "NAME": NAME, "DATA": DATA},
        counted(tracker),
        around,
    )
