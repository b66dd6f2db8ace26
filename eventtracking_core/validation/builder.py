"""What the event types of a tracker do to its events: ids of records, and a check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

from eventtracking_core.events import Event, clean_name
from eventtracking_core.interrupts import pass_on
from eventtracking_core.pipeline import Diverted, Pipeline
from eventtracking_core.validation.compiler import InterpretedCheck, compile_check, generate_check
from eventtracking_core.validation.schema import FieldSchema, context_schema, data_schema
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
    from eventtracking_core.validation.arguments import Intake

__all__ = ["EventBuilders"]

ENVELOPE_BYTES: Final = 200
"""About what an event takes besides its name, its context and its data."""

KEY_BYTES: Final = 16
"""About what the key of a provider's value takes."""

MAX_VIOLATIONS: Final = 20
"""That are told of one event."""


EventBuilder = Callable[
    ["Pipeline", str, str, "datetime", "Frame | None", dict[str, Any], Any],
    "Event",
]
"""Returns an event with the ids of its records.

It is called with the pipeline, the event's id, its name, its time, the innermost context, the
context's values and the data. It raises `Diverted` where the event goes elsewhere than down the
pipeline, and an `InvalidEventError` where the tracker is strict.
"""

_SOURCE: Final = """
def build(pipeline, event_id, name, moment, frame, context, data):
    try:
        {source.reads}
        if frame is None:
            context_id, size = None, {envelope}
        else:
            context_id, size = frame.type_info or type_info_of(frame, name)
        if frame is None or length(context) != length(frame.merged):
            size += provided(frame, context)
        if {source.condition} and size + {source.size} <= pipeline.max_event_size:
            if context_id is None:
                return {{
                    "id": event_id,
                    "name": name,
                    "timestamp": moment,
                    "name_id": name_id,
                    "context": context,
                    "data": data,
                }}
            return {{
                "id": event_id,
                "name": name,
                "timestamp": moment,
                "name_id": name_id,
                "context_type_id": context_id,
                "context": context,
                "data": data,
            }}
    except failure:
        pass
    return build_slow(compiled_type, pipeline, event_id, name, moment, frame, context, data)
"""


class _CompiledType:
    """A record, and what it says events look like."""

    def __init__(self, record: EventType) -> None:
        self.name_id = record.id
        self.data: FieldSchema = data_schema(record)
        self.surroundings = context_schema(record) if record.context_fields else None
        self.loop = InterpretedCheck(self.data)


class EventBuilders(dict["str | type", EventBuilder]):
    """What stamps and checks the events of each name, and of each class that declares a type.

    The one expression of `validation.compiler` and the event's dict stand in one function for each
    type: this is on the way of every event, and each call on it counts.

    Args:
        registry: the tracker's.
        intake: the tracker's; warns.
    """

    def __init__(self, registry: Registry, intake: Intake) -> None:
        super().__init__()
        self._registry = registry
        self._intake = intake
        registry.watch(self._registered)

    def _registered(self, record: EventType) -> None:
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
            return self._unregistered
        made = self[key] = self._compiled(record)
        if isinstance(key, str) and self._registry.get(key) is not record:
            self.pop(key, None)  # another thread registers it anew
        return made

    def _compiled(self, record: EventType) -> EventBuilder:
        compiled_type = _CompiledType(record)
        names = {
            "name_id": record.id,
            "compiled_type": compiled_type,
            "type_info_of": self._type_info_of,
            "provided": _provided,
            "build_slow": self._build_slow,
            "failure": Exception,
        }
        source = generate_check(compiled_type.data, **names)
        if compiled_type.surroundings is not None:
            source.names["surroundings"] = compile_check(compiled_type.surroundings)
            source = source._replace(condition=f"{source.condition} and surroundings(context) >= 0")
        text = _SOURCE.format(source=source, envelope=ENVELOPE_BYTES)
        exec(text, source.names)  # noqa: S102  as in `validation.compiler`
        builder: EventBuilder = source.names["build"]
        return builder

    def _build_slow(  # noqa: PLR0917  as its builder
        self,
        compiled_type: _CompiledType,
        pipeline: Pipeline,
        event_id: str,
        name: str,
        moment: datetime,
        frame: Frame | None,
        context: dict[str, Any],
        data: Any,
    ) -> Event:
        """Build an event that the fast check did not pass."""
        name_id = compiled_type.name_id
        event, size = self._event(event_id, name, moment, frame, context, data, name_id)
        size += self._check_provided(pipeline, name, frame, context)
        try:
            more = compiled_type.loop.check(data)
            context_schema = compiled_type.surroundings
            if context_schema is not None and InterpretedCheck(context_schema).check(context) < 0:
                more = -1
        except Exception as error:  # noqa: BLE001  data may be anything, and lack anything
            pass_on(error)
            more = -1
        if more < 0 or size + more > pipeline.max_event_size:
            self._report_violations(pipeline, event, compiled_type, size)
        return event

    def _event(  # noqa: PLR0917  as its builder
        self,
        event_id: str,
        name: str,
        moment: datetime,
        frame: Frame | None,
        context: dict[str, Any],
        data: Any,
        name_id: str | None,
    ) -> tuple[Event, int]:
        """Return an event, and about what it takes without its data."""
        context_id, size = None, ENVELOPE_BYTES
        if frame is not None:
            context_id, size = frame.type_info or self._type_info_of(frame, name)
        ids = {"name_id": name_id, "context_type_id": context_id}
        event = {
            "id": event_id,
            "name": name,
            "timestamp": moment,
            **{key: value for key, value in ids.items() if value is not None},
            "context": context,
            "data": data,
        }
        return cast("Event", event), size

    def _type_info_of(self, frame: Frame, name: str) -> tuple[str | None, int]:
        """Return the id of the contexts that are active, and about what they take."""
        context_id = frame.types[0] if frame.types else None
        if len(frame.types) > 1:
            context_id = self._registry.compose(frame.types)
        size = _estimated_size(frame.merged)
        if size < 0:
            for violation in _guarded(lambda values: unencodable(values, "context."), frame.merged):
                self._warn(name, violation)
        type_info = frame.type_info = context_id, ENVELOPE_BYTES + max(0, size)
        return type_info

    def _check_provided(
        self, pipeline: Pipeline, name: str, frame: Frame | None, context: dict[str, Any]
    ) -> int:
        """Return about what the providers' values take, and warn of those without a form."""
        if not pipeline.providers:
            return 0
        size = _provided(frame, context)
        if size < HUGE:
            return size
        entered: Mapping[str, Any] = {} if frame is None else frame.merged
        values = {key: item for key, item in context.items() if key not in entered}
        for violation in _guarded(lambda found: unencodable(found, "context."), values):
            self._warn(name, violation)
        return max(0, _estimated_size(values))

    def _unregistered(  # noqa: PLR0917  as any builder
        self,
        pipeline: Pipeline,
        event_id: str,
        name: str,
        moment: datetime,
        frame: Frame | None,
        context: dict[str, Any],
        data: Any,
    ) -> Event:
        event, size = self._event(event_id, name, moment, frame, context, data, None)
        size += self._check_provided(pipeline, name, frame, context)
        policy = pipeline.policies.unregistered
        if policy == "reject" or (policy == "warn" and self._registry.has_events):
            self._intake.warn("unregistered", name, "its type is not registered")
        self._warn_of_contents(pipeline, event, size)
        if policy == "reject":
            raise Diverted(event, partial(pipeline.count_dropped, "unregistered"))
        return event

    def _report_violations(
        self, pipeline: Pipeline, event: Event, compiled_type: _CompiledType, size: int
    ) -> None:
        """Say what is wrong with an event of a type."""
        policy = pipeline.policies.invalid
        wrong: list[Violation] = []
        if policy != "allow":
            wrong = _found_wrong(compiled_type, event)
            for violation in wrong:
                self._warn(event["name"], violation)
        self._warn_of_contents(pipeline, event, size)
        if policy == "dead_letter" and wrong:
            error = f"{wrong[0].code}: {clean_name(wrong[0].field)}"
            raise Diverted(event, partial(pipeline.reject_invalid, error))

    def _warn_of_contents(self, pipeline: Pipeline, event: Event, size: int) -> None:
        more = _estimated_size(event["data"])
        if more < 0:
            for violation in _guarded(unencodable, event["data"]):
                self._warn(event["name"], violation)
        elif size + more > pipeline.max_event_size:
            self._intake.warn("too_large", event["name"], "it is larger than max_event_size")

    def _warn(self, name: str, violation: Violation) -> None:
        self._intake.warn(violation.code, name, violation.message, violation.field)


def _provided(frame: Frame | None, context: dict[str, Any]) -> int:
    """Return about what the values of providers take; more than any event where one has no form."""
    number = len(context) - (0 if frame is None else len(frame.merged))
    if not number:
        return 0
    # They lie below the entered ones, which replace them: most often, they are the first.
    size = KEY_BYTES * number
    for value in islice(context.values(), number):
        if type(value) is str:
            size += len(value)
        elif type(value) is not int:
            exact = _estimated_size(dict(islice(context.items(), number)))
            return HUGE if exact < 0 else exact
    return size


def _estimated_size(value: object) -> int:
    try:
        return estimated_size(value)
    except Exception as error:  # noqa: BLE001  a foreign object may raise anything
        pass_on(error)
        return -1


def _found_wrong(compiled_type: _CompiledType, event: Event) -> list[Violation]:
    found = _guarded(lambda data: mismatches(compiled_type.data, data), event["data"])
    if compiled_type.surroundings is not None:
        shape = compiled_type.surroundings
        found += _guarded(lambda values: mismatches(shape, values, "context."), event["context"])
    return [violation for violation in found if violation.code in MISMATCHES]


def _guarded(
    find: Callable[[Mapping[str, Any]], Any], values: Mapping[str, Any]
) -> list[Violation]:
    found: list[Violation] = []
    try:
        for violation in find(values):
            found.append(violation)
            if len(found) == MAX_VIOLATIONS:
                break
    except Exception as error:  # noqa: BLE001  data may be anything; what can be told is told
        pass_on(error)
    return found
