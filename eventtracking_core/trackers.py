"""The trackers of a process: the default one, and named ones."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core import lifecycle as _lifecycle  # noqa: F401  delivers at exit
from eventtracking_core.contexts import CARRIED_KEYS, propagation
from eventtracking_core.registry.registry import listeners
from eventtracking_core.tracker import Tracker

if TYPE_CHECKING:
    from eventtracking_core.contexts import Context, EnteredContext
    from eventtracking_core.registry import EventType, FieldDoc

__all__ = [
    "configure",
    "context",
    "emit",
    "extract",
    "get_tracker",
    "inject",
    "register",
    "register_tracker",
]

_trackers: Final[dict[str, Tracker]] = {"default": Tracker()}
_trackers["default"].name = "default"


def get_tracker(name: str = "default") -> Tracker:
    """Return a tracker by name; the default one always exists.

    Raises:
        KeyError: no tracker is registered by that name.
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
    """Write the context of an event of the default tracker and the current trace, for `extract`.

    Args:
        carrier: text by name, such as the headers of a request or of a queue's message.
        keys: the fields that travel, the most important ones first, up to 4 KiB in total. Only
            text, numbers and truth values travel.
    """
    propagation.inject(carrier, _trackers["default"].event_context(), keys)


def extract(
    carrier: Mapping[str, Any], keys: Sequence[str] = CARRIED_KEYS
) -> AbstractContextManager[None]:
    """Return a context manager: inside its block, events carry what `inject` wrote elsewhere.

    Args:
        carrier: the headers that arrived. Their sender names the user, so extract only what you
            trust.
        keys: the accepted fields; all others are left out.
    """
    tracker = _trackers["default"]
    return propagation.extract(carrier, keys, lambda context: tracker.context("carried", context))
