"""Build events of registered types: add their type ids and validate their data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, final

from eventtracking_core.events import Event, clean_name
from eventtracking_core.lifecycle.interrupts import pass_on
from eventtracking_core.validation.compiler import (
    InterpretedCheck,
    compile_check,
    compile_function,
    generate_check,
)
from eventtracking_core.validation.schema import context_schema, data_schema
from eventtracking_core.validation.values import HUGE, estimated_size
from eventtracking_core.validation.violations import (
    MISMATCHES,
    Violation,
    mismatches,
    unencodable,
)

if TYPE_CHECKING:
    from datetime import datetime

    from eventtracking_core.contexts import Frame
    from eventtracking_core.registry import EventType, Registry
    from eventtracking_core.settings import Policies
    from eventtracking_core.validation.reporting import EventWarnings

__all__ = ["EventBuilder", "EventBuilders", "Verdict"]

ENVELOPE_BYTES: Final = 200
"""Estimated size of an event without its name, context and data."""

KEY_BYTES: Final = 16
"""Estimated size of the key of a provider's value."""

MAX_VIOLATIONS: Final = 20
"""Maximum number of violations reported for one event."""


@final
class Verdict(NamedTuple):
    """The action of a policy on an event that is not sent.

    Attributes:
        event: the event.
        action: reject or dead-letter it.
        reason: the reason counted for a rejected event; the error of a dead letter.
    """

    event: Event
    action: Literal["reject", "dead_letter"]
    reason: str


EventBuilder = Callable[
    ["Policies", str, str, "datetime", "Frame | None", dict[str, Any], Any],
    "Event | Verdict",
]
"""Returns an event with the ids of its records, to be sent, or a verdict on it.

The arguments are the policies, the event's id, name and time, the innermost context frame, the
context's values and the data. Raises `InvalidEventError` if the tracker is strict.
"""

_TypeInfo = tuple[str | None, int, int]
"""A context's type id, the estimated size of an event without data, the number of its fields."""

_EVENT: Final = (
    '{{"id": event_id, "name": name, "timestamp": moment,{ids} "context": context, "data": data}}'
)

# Every event of the type runs through this function: it contains no call that it can do without.
# Providers' values are below the entered ones, which replace them: nearly always the first.
_BUILD: Final = """\
def build(policies, event_id, name, moment, frame, context, data):
    if frame is None:
        context_id, size, entered = no_context
    else:
        context_id, size, entered = frame.type_info or type_info(frame, name)
    if context_id is None:
        event = {event}
    else:
        event = {event_in_context}
"""

_FAST_CHECK: Final = """\
    try:
        {check.reads}
        if length(context) != entered:
            provided = length(context) - entered
            size += {key_bytes} * provided
            for value in first(context.values(), provided):
                if kind(value) is text:
                    size += length(value)
                elif kind(value) is not integer:
                    size += value_size(value)
        if {check.condition} and size + {check.size} <= policies.max_event_size:
            return event
    except Exception:
        pass
"""

_SLOW_CHECK: Final = """\
    return check(policies, event, frame)
"""


class _CompiledType:
    """The checks of a record's data and context."""

    def __init__(self, record: EventType) -> None:
        self.data = data_schema(record)
        self.context = context_schema(record) if record.context_fields else None
        self._check_data = InterpretedCheck(self.data).check
        self._check_context = compile_check(self.context) if self.context is not None else None

    def source(self) -> tuple[str, dict[str, Any]]:
        """Return the fast check of an event's data and context, and the names it refers to."""
        check = generate_check(self.data)
        if self._check_context is not None:
            check.names["check_context"] = self._check_context
            check = check._replace(condition=f"{check.condition} and check_context(context) >= 0")
        return _FAST_CHECK.format(check=check, key_bytes=KEY_BYTES), check.names

    def size(self, event: Event) -> int:
        """Return the estimated size of an event's data, or -1 if the event is not of the type."""
        try:
            if self._check_context is not None and self._check_context(event["context"]) < 0:
                return -1
            return self._check_data(event["data"])
        except Exception as error:  # noqa: BLE001  data may be anything, and lack anything
            pass_on(error)
            return -1

    def violations(self, event: Event) -> list[Violation]:
        """Return where an event is not of the type."""
        violations = _collect(mismatches(self.data, event["data"]))
        if self.context is not None:
            violations += _collect(mismatches(self.context, event["context"], "context."))
        return [violation for violation in violations if violation.code in MISMATCHES]


class EventBuilders(dict["str | type", EventBuilder]):
    """The builder of each event name, and of each class that declares a type.

    The event's dict and the generated check of its data are one function for each type: it runs
    for every event, and each call in it counts.

    Args:
        registry: the tracker's.
        warnings: the tracker's.
    """

    def __init__(self, registry: Registry, warnings: EventWarnings) -> None:
        super().__init__()
        self._registry = registry
        self._warnings = warnings
        self._unregistered: EventBuilder | None = None

    def forget(self, record: EventType) -> None:
        """Forget the builder of an event name that another record holds for now."""
        if record.kind == "event":
            self.pop(record.name, None)

    def __missing__(self, key: str | type) -> EventBuilder:
        if isinstance(key, type):
            record: EventType | None = key.__event_type__  # type: ignore[attr-defined]
            if record is not None and self._registry.record(record.id) is None:
                self._registry.add(record)
        else:
            record = self._registry.get(key)
        if record is None:
            if self._unregistered is None:
                check = {"check": self._unknown}
                self._unregistered = self._compile("", "unregistered events", check)
            return self._unregistered
        compiled_type = _CompiledType(record)
        fast_check, names = compiled_type.source()
        names |= {"name_id": record.id, "check": partial(self._check, compiled_type)}
        builder = self[key] = self._compile(fast_check, f"events of {record.name}", names)
        if isinstance(key, str) and self._registry.get(key) is not record:
            self.pop(key, None)  # another thread registered the name again
        return builder

    def _compile(self, fast_check: str, title: str, names: dict[str, Any]) -> EventBuilder:
        ids = ' "name_id": name_id,' if "name_id" in names else ""
        head = _BUILD.format(
            event=_EVENT.format(ids=ids),
            event_in_context=_EVENT.format(ids=f'{ids} "context_type_id": context_id,'),
        )
        names |= {
            "first": islice,
            "integer": int,
            "no_context": (None, ENVELOPE_BYTES, 0),
            "value_size": _value_size,
            "type_info": self._type_info,
        }
        builder: EventBuilder = compile_function(
            "build", f"{head}{fast_check}{_SLOW_CHECK}", names, title
        )
        return builder

    def _type_info(self, frame: Frame, name: str) -> _TypeInfo:
        """Return what the builders need to know of a context frame, and cache it there."""
        context_id = frame.types[0] if frame.types else None
        if len(frame.types) > 1:
            context_id = self._registry.compose(frame.types)
        size = _estimated_size(frame.merged)
        if size < 0:
            self._warn(name, _collect(unencodable(frame.merged, "context.")))
        info: _TypeInfo = context_id, ENVELOPE_BYTES + max(0, size), len(frame.merged)
        frame.type_info = info
        return info

    def _unknown(self, policies: Policies, event: Event, frame: Frame | None) -> Event | Verdict:
        """Apply the policy for unregistered events."""
        policy = policies.unregistered
        size = self._size_without_data(event, frame)
        if policy == "reject" or (policy == "warn" and self._registry.has_events):
            self._warnings.warn("unregistered", event["name"], "its type is not registered")
        self._warn_of_data(policies, event, size)
        return Verdict(event, "reject", "unregistered") if policy == "reject" else event

    def _check(
        self, compiled_type: _CompiledType, policies: Policies, event: Event, frame: Frame | None
    ) -> Event | Verdict:
        """Check an event that did not pass the generated check, and report its violations."""
        size = self._size_without_data(event, frame)
        data_size = compiled_type.size(event)
        if data_size >= 0 and size + data_size <= policies.max_event_size:
            return event
        violations = [] if policies.invalid == "allow" else compiled_type.violations(event)
        self._warn(event["name"], violations)
        self._warn_of_data(policies, event, size)
        if policies.invalid == "dead_letter" and violations:
            error = f"{violations[0].code}: {clean_name(violations[0].field)}"
            return Verdict(event, "dead_letter", error)
        return event

    def _size_without_data(self, event: Event, frame: Frame | None) -> int:
        """Return the estimated size, and warn of providers' values that have no form in JSON."""
        context: dict[str, Any] = event["context"]
        _, size, entered = (None, ENVELOPE_BYTES, 0) if frame is None else frame.type_info
        if len(context) == entered:
            return int(size)
        number = len(context) - entered
        provided = KEY_BYTES * number + sum(map(_value_size, islice(context.values(), number)))
        if provided >= HUGE:
            known: Mapping[str, Any] = {} if frame is None else frame.merged
            values = {key: value for key, value in context.items() if key not in known}
            self._warn(event["name"], _collect(unencodable(values, "context.")))
            provided = max(0, _estimated_size(values))
        return int(size + provided)

    def _warn_of_data(self, policies: Policies, event: Event, size: int) -> None:
        data_size = _estimated_size(event["data"])
        if data_size < 0:
            self._warn(event["name"], _collect(unencodable(event["data"])))
        elif size + data_size > policies.max_event_size:
            self._warnings.warn("too_large", event["name"], "it is larger than max_event_size")

    def _warn(self, name: str, violations: list[Violation]) -> None:
        for violation in violations:
            self._warnings.warn(violation.code, name, violation.message, violation.field)


def _value_size(value: object) -> int:
    """Return the estimated size of a provider's value; `HUGE` if it has no form in JSON."""
    size = _estimated_size(value)
    return HUGE if size < 0 else size


def _estimated_size(value: object) -> int:
    try:
        return estimated_size(value)
    except Exception as error:  # noqa: BLE001  a foreign object may raise anything
        pass_on(error)
        return -1


def _collect(violations: Iterator[Violation]) -> list[Violation]:
    """Return the first violations; those found so far if looking for more raises."""
    collected: list[Violation] = []
    try:
        collected.extend(islice(violations, MAX_VIOLATIONS))
    except Exception as error:  # noqa: BLE001  data may be anything
        pass_on(error)
    return collected
