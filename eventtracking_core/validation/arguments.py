"""What an application emits, made into what an event may hold; with a warning where it is not."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from eventtracking_core.diagnostics import log, observers
from eventtracking_core.encoding import field_names
from eventtracking_core.encoding._losses import CODE, reported
from eventtracking_core.errors import InvalidEventError
from eventtracking_core.events import MAX_NAME, UNKNOWN, as_utc, clean_name
from eventtracking_core.interrupts import pass_on
from eventtracking_core.routing import AtomicCounter

__all__ = ["Intake"]

MAX_NAMES: Final = 10_000


class Intake:
    """Takes names, data and times of any kind, for one tracker.

    Args:
        strict: raise what would be a warning.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self.names: dict[str, str] = {}
        """Names that were clean before, each as its own value: what `emit` looks at first."""
        self._warned: set[tuple[str, str, str | None]] = set()
        self._warnings: dict[str, AtomicCounter] = {}

    def known_name(self, name: object) -> str:
        """Return a name that every sink can hold."""
        try:
            return self.names[name]  # type: ignore[index]
        except Exception as error:  # noqa: BLE001  a name may be anything, and hash as it likes
            return self.name(name, error)

    def name(self, name: object, failure: Exception) -> str:
        """Return a name that every sink can hold, where looking it up in `names` failed."""
        if type(failure) is not KeyError:
            pass_on(failure)
        clean = clean_name(name)
        if clean == UNKNOWN:
            self.warn("name", clean, "an event has no name, or one that is no text")
        elif type(name) is str and len(name) <= MAX_NAME and len(self.names) < MAX_NAMES:
            self.names[name] = clean
        return clean

    def declared(self, instance: object) -> tuple[type | None, object, object]:
        """Return the class that declares a type, the event's name and its data.

        Where it is an instance of no such class, it is the name, as it was given.
        """
        kind: Any = type(instance)
        try:
            if hasattr(kind, "__event_data__"):
                return kind, kind.__event_type__.name, kind.__event_data__(instance)
        except Exception as error:  # noqa: BLE001  an object may lie of its class
            pass_on(error)
        return None, instance, None

    def data(self, data: object, name: str) -> Any:
        """Return data that are a mapping; of a record, its fields."""
        if data is None:
            return {}
        try:
            if isinstance(data, Mapping):
                return data
            if field_names(type(data)) is not None:
                from eventtracking_core.registry.typed import fields_of  # noqa: PLC0415  costs imports

                return fields_of(data)
        except Exception as error:  # noqa: BLE001  an object may lie of its class
            pass_on(error)
        self.warn("data", name, f"data is no mapping but {type(data).__name__}")
        return {"value": data}

    def timestamp(self, timestamp: object, name: str) -> datetime:
        """Return a time in UTC; the present one for what is none."""
        try:
            if isinstance(timestamp, datetime):
                return as_utc(timestamp)
            from eventtracking_core.encoding import normalize  # noqa: PLC0415  costs imports

            if isinstance(plain := normalize(timestamp), datetime):
                return plain
        except Exception as error:  # noqa: BLE001  an object may lie of its class
            pass_on(error)
        self.warn("timestamp", name, "the timestamp is no datetime")
        return datetime.now(UTC)

    def warn(self, code: str, name: str, message: str, field: str | None = None) -> None:
        """Warn, once for each problem, event name and field; count it every time.

        Args:
            code: of which kind the problem is.
            name: of the event.
            message: what is wrong, without any value.
            field: with which field.

        Raises:
            InvalidEventError: the tracker is strict.
        """
        if field is not None and code == CODE and len(reported) < MAX_NAMES:
            reported.add((name, clean_name(field)))
        where = name if field is None else f"{name}: {(field := clean_name(field))}"
        if self._strict:
            raise InvalidEventError(f"{where}: {message}")
        self._warnings.setdefault(code, AtomicCounter()).add()
        for tell in observers.copy():
            tell(code, where, message)
        if (code, name, field) not in self._warned and len(self._warned) < MAX_NAMES:
            self._warned.add((code, name, field))
            extra = {"code": code, "event_name": name, "field": field}
            log(logging.WARNING, "event %s: %s", where, message, extra=extra)

    def warnings(self) -> dict[str, int]:
        """Return how many warnings there were of each kind."""
        return {code: counter.value for code, counter in self._warnings.copy().items()}
