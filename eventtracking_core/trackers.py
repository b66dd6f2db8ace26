"""The trackers of a process: the default one, named ones, and what happens to all at its end."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.contexts import CARRIED_KEYS, carried, put
from eventtracking_core.events import end_of_process
from eventtracking_core.registry.declared import listeners
from eventtracking_core.tracker import Tracker, alive

if TYPE_CHECKING:
    from types import FrameType

    from eventtracking_core.contexts import Context, EnteredContext
    from eventtracking_core.registry import EventType, FieldDoc

__all__ = [
    "configure",
    "context",
    "drain_on_sigterm",
    "emit",
    "end_first",
    "extract",
    "get_tracker",
    "inject",
    "register",
    "register_tracker",
]

_trackers: Final[dict[str, Tracker]] = {"default": Tracker()}
_trackers["default"].name = "default"


def get_tracker(name: str = "default") -> Tracker:
    """Return a tracker by name; the default one is always there.

    Raises:
        KeyError: nobody registered a tracker of that name.
    """
    return _trackers[name]


def register_tracker(tracker: Tracker, name: str = "default") -> None:
    """Make a tracker available under a name, to every part of the process."""
    _trackers[name] = tracker
    tracker.name = name


def configure(config: str | os.PathLike[str] | Mapping[str, Any] | None = None) -> None:
    """Configure the default tracker; see `Tracker.configure`."""
    _trackers["default"].configure(config)


def emit(name: object = None, data: object = None, *, timestamp: datetime | None = None) -> str:
    """Say what happened on the default tracker; see `Tracker.emit`."""
    return _trackers["default"].emit(name, data, timestamp=timestamp)


def context(
    name: str | Context | None = None,
    ctx: Context | None = None,
    description: str | None = None,
    field_descriptions: Mapping[str, str | FieldDoc] | None = None,
    **fields: object,
) -> EnteredContext:
    """Return a context manager of the default tracker; see `Tracker.context`."""
    return _trackers["default"].context(name, ctx, description, field_descriptions, **fields)


def register(
    name: str,
    description: str = "",
    field_descriptions: Mapping[str, str | FieldDoc] | None = None,
    context_field_descriptions: Mapping[str, str | FieldDoc] | None = None,
    *,
    schema: Mapping[str, Any] | None = None,
    owner: str | None = None,
    tags: Sequence[str] = (),
    examples: Iterable[Mapping[str, Any]] = (),
    deprecated: str | None = None,
) -> EventType:
    """Say what an event name means, on the default tracker; see `Tracker.register`."""
    return _trackers["default"].register(
        name,
        description,
        field_descriptions,
        context_field_descriptions,
        schema=schema,
        owner=owner,
        tags=tags,
        examples=examples,
        deprecated=deprecated,
    )


def _declared(record: EventType) -> None:
    get_tracker().event_types.add(record)


listeners.append(_declared)


def inject(carrier: MutableMapping[str, str], keys: Sequence[str] = CARRIED_KEYS) -> None:
    """Write the default tracker's contexts and the current trace into headers, for `extract`.

    Args:
        carrier: takes text by name, such as the headers of a request or of a queue's message.
        keys: the fields that travel, the most important ones first; in all they take 4 KiB at
            most. Only text, numbers and truth values travel.
    """
    put(carrier, _trackers["default"].resolve_context(), keys)


def extract(
    carrier: Mapping[str, Any], keys: Sequence[str] = CARRIED_KEYS
) -> AbstractContextManager[None]:
    """Return a context manager: inside its block, events carry what `inject` wrote elsewhere.

    Args:
        carrier: what arrived. Whoever wrote it says who the user is: trust it that far.
        keys: the fields that are taken; what else arrived is left out.
    """
    tracker = _trackers["default"]
    return carried(carrier, keys, lambda context: tracker.context("carried", context))


def drain_on_sigterm() -> None:
    """Deliver what waits when SIGTERM arrives, then do what would have been done without us.

    Call it in the main thread, after whatever else installs a handler. Draining is bounded by the
    trackers' `shutdown_timeout`; the handler that was there before is called after it, and where
    there was none, the process ends by the signal.

    Raises:
        ValueError: it was called outside the main thread.
    """
    previous = signal.getsignal(signal.SIGTERM)

    def drain(number: int, frame: FrameType | None) -> None:
        _shutdown_all()
        if callable(previous):
            previous(number, frame)
        elif previous != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, drain)


@atexit.register
def _at_exit() -> None:
    _shutdown_all()
    end_of_process()


def end_first() -> None:
    """Shut trackers down, at exit, before whatever asked until now to be called at exit.

    For backends that hand events to a library which closes itself at exit.
    """
    atexit.unregister(_at_exit)
    atexit.register(_at_exit)


def _shutdown_all() -> None:
    trackers = list(alive)
    deadline = monotonic() + max((tracker.shutdown_timeout for tracker in trackers), default=0)
    for tracker in trackers:
        tracker.close()
    for tracker in trackers:
        tracker.shutdown(max(0.0, deadline - monotonic()))


def _forked() -> None:
    for tracker in list(alive):
        tracker.forked()
    # A child of multiprocessing ends without `atexit`; it calls its finalizers, which are those
    # that are registered once it has begun.
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(_shutdown_all, _finish_with)


def _finish_with(shutdown: Callable[[], None]) -> None:
    sys.modules["multiprocessing.util"].Finalize(None, shutdown, exitpriority=0)


os.register_at_fork(after_in_child=_forked)
