"""Coerce the arguments of `emit()` into a valid event, and warn where they were not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from eventtracking_core._text import kind_name
from eventtracking_core.events import MAX_NAME, UNKNOWN, as_utc, clean_name
from eventtracking_core.lifecycle.interrupts import pass_on
from eventtracking_core.validation.reporting import MAX_NAMES

if TYPE_CHECKING:
    from eventtracking_core.validation.reporting import EventWarnings

__all__ = ["coerce_data", "coerce_name", "coerce_timestamp", "typed_event"]


def coerce_name(
    name: object,
    known: dict[str, str],
    warnings: EventWarnings,
    failure: Exception | None = None,
) -> str:
    """Return a name that every sink can hold.

    Args:
        name: what the application gave.
        known: names that needed no change, each as its own value; a new one is added.
        warnings: the tracker's.
        failure: the exception of `known[name]`.
    """
    if failure is not None:
        pass_on(failure)
    clean = clean_name(_text(name))
    if clean == UNKNOWN:
        warnings.warn("name", clean, "an event has no name, or one that is not text")
    elif type(name) is str and len(name) <= MAX_NAME and len(known) < MAX_NAMES:
        known[name] = clean
    return clean


def _text(name: object) -> object:
    """Return the text that a lazy object, such as a translation of Django, stands for."""
    cls = type(name)
    if name is None or issubclass(cls, str):
        return name
    from eventtracking_core.encoding._normal import normalize  # noqa: PLC0415  costs imports
    from eventtracking_core.encoding._plain import has_reader, is_proxy  # noqa: PLC0415

    try:
        if has_reader(cls) or is_proxy(cls):
            return normalize(name)
    except Exception as error:  # noqa: BLE001  an object may lie about its class
        pass_on(error)
    return name


def typed_event(instance: object) -> tuple[type | None, object, object]:
    """Return the class that declares an event type, the event's name and its data.

    Without such a class, `instance` is the name as the application gave it.
    """
    cls: Any = type(instance)
    try:
        if hasattr(cls, "__event_data__"):
            return cls, cls.__event_type__.name, cls.__event_data__(instance)
    except Exception as error:  # noqa: BLE001  an object may lie about its class
        pass_on(error)
    return None, instance, None


def coerce_data(data: object, name: str, warnings: EventWarnings) -> Any:
    """Return data as a mapping: of a record its fields, of anything else `{"value": data}`."""
    if data is None:
        return {}
    try:
        if isinstance(data, Mapping):
            return data
        from eventtracking_core.encoding import field_names  # noqa: PLC0415  costs imports

        if field_names(type(data)) is not None:
            from eventtracking_core.registry.typed import fields_of  # noqa: PLC0415  costs imports

            return fields_of(data)
    except Exception as error:  # noqa: BLE001  an object may lie about its class
        pass_on(error)
    warnings.warn("data", name, f"data is no mapping but {kind_name(data)}")
    return {"value": data}


def coerce_timestamp(timestamp: object, name: str, warnings: EventWarnings) -> datetime:
    """Return a time in UTC; the present time if the argument is no datetime."""
    try:
        if isinstance(timestamp, datetime):
            return as_utc(timestamp)
        from eventtracking_core.encoding import normalize  # noqa: PLC0415  costs imports

        if isinstance(plain := normalize(timestamp), datetime):
            return plain
    except Exception as error:  # noqa: BLE001  an object may lie about its class
        pass_on(error)
    warnings.warn("timestamp", name, "the timestamp is no datetime")
    return datetime.now(UTC)
