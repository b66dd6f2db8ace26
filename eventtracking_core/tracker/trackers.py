"""The trackers of a process: the default one, and named ones."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.contexts import CARRIED_KEYS, propagation
from eventtracking_core.events import end_of_process
from eventtracking_core.lifecycle.exits import on_exit
from eventtracking_core.registry.declaring import listeners
from eventtracking_core.tracker.tracker import Tracker

if TYPE_CHECKING:
    from eventtracking_core.contexts import Context, EnteredContext
    from eventtracking_core.registry import EventType, FieldDoc

__all__ = [
    "configure",
    "context",
    "emit",
    "enter_context",
    "exit_context",
    "extract",
    "get_tracker",
    "inject",
    "register",
    "register_tracker",
    "resolve_context",
]

_trackers: Final[dict[str, Tracker]] = {"default": Tracker(name="default")}
on_exit(end_of_process)


def get_tracker(name: str = "default") -> Tracker:
    """Return a tracker by name; the default one always exists.

    Raises:
        KeyError: no tracker is registered by that name.
    """
    return _trackers[name]


def register_tracker(tracker: Tracker, name: str = "default") -> None:
    """Make a tracker available under a name, to every part of the process."""
    _trackers[name] = tracker
    tracker.rename(name)


def configure(config: str | os.PathLike[str] | Mapping[str, Any] | None = None) -> None:
    """Configure the default tracker; call it once, when the application starts.

        et.configure("eventtracking.toml")
        et.configure({"backends": {"archive": {"type": "file", "path": "events.ndjson"}}})

    Args:
        config: the path of a TOML, YAML or JSON file, or a mapping; by default, the file that
            EVENTTRACKING_CONFIG_FILE names, or `[tool.eventtracking]` in `pyproject.toml`.

    Raises:
        ConfigurationError: it has problems, all of which are listed; the tracker is unchanged.
    """
    _trackers["default"].configure(config)


def emit(name: object = None, data: object = None, *, timestamp: datetime | None = None) -> str:
    """Emit an event on the default tracker, and return its id. Never raises.

    The configuration says where it goes; until `configure()` is called, nothing is delivered.

        with et.context(user_id=7):
            et.emit("shop.order.placed", {"order_id": "o1", "items": 2})

    Args:
        name: what happened, in the manner of `org.area.verb`; or an instance of a class that
            `event` declares, without data.
        data: the event's own fields; a value that is not a mapping becomes the field `value`.
        timestamp: when it happened; by default, now. A naive one is taken as UTC.

    Returns:
        The event's id, a UUIDv7.
    """
    return _trackers["default"].emit(name, data, timestamp=timestamp)


def context(
    name: str | Context | None = None,
    ctx: Context | None = None,
    description: str | None = None,
    field_descriptions: Mapping[str, str | FieldDoc] | None = None,
    **fields: object,
) -> EnteredContext:
    """Return a context manager: events emitted inside its block carry the fields.

        with et.context("request", {"user_id": 7}), et.context(course_id="c1"):
            et.emit("edx.course.opened")

    Args:
        name: a name for the context, or the mapping of an unnamed one.
        ctx: the fields.
        description: what the context means, for the catalogue.
        field_descriptions: what each field means, for the catalogue.
        fields: the fields of an unnamed context, as keywords.
    """
    return _trackers["default"].context(name, ctx, description, field_descriptions, **fields)


def enter_context(
    name: str,
    ctx: Context,
    description: str | None = None,
    field_descriptions: Mapping[str, str | FieldDoc] | None = None,
) -> None:
    """Enter a named context of the default tracker; see `Tracker.enter_context`."""
    _trackers["default"].enter_context(name, ctx, description, field_descriptions)


def exit_context(name: str) -> None:
    """Leave a context of the default tracker; see `Tracker.exit_context`."""
    _trackers["default"].exit_context(name)


def resolve_context() -> dict[str, Any]:
    """Return the default tracker's contexts as one new dict; see `Tracker.resolve_context`."""
    return _trackers["default"].resolve_context()


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
    """Register an event type: what an event name means. Returns its record.

        et.register("shop.order.placed", "A customer ordered.", {"items": "number of items"})

    Args:
        name: the name of the events.
        description: what happened when one is emitted.
        field_descriptions: what each field of the data means.
        context_field_descriptions: what each field of the context means.
        schema: a JSON Schema of the data.
        owner: who is responsible for it.
        tags: words to group event types by.
        examples: data of example events.
        deprecated: what to emit instead.
    """
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
