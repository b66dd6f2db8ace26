"""Build events and send them through the active pipeline: what `emit` does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from eventtracking_core.contexts.locators import ContextVarLocator, safe_top, stack_locator
from eventtracking_core.encoding import snapshot
from eventtracking_core.errors import InvalidEventError
from eventtracking_core.events import Event, id_at, shared_context
from eventtracking_core.lifecycle.forks import check_fork, reset_after_fork, same_process
from eventtracking_core.pipeline.pipeline import emitting
from eventtracking_core.pipeline.replacing import Replaced
from eventtracking_core.tracker.dispatcher import Dispatcher, report_failure
from eventtracking_core.tracker.prepared import PreparedEvent
from eventtracking_core.validation.arguments import (
    coerce_data,
    coerce_name,
    coerce_timestamp,
    typed_event,
)
from eventtracking_core.validation.reporting import EventWarnings

if TYPE_CHECKING:
    from eventtracking_core.contexts import ContextLocator
    from eventtracking_core.registry import EventType, Registry
    from eventtracking_core.validation.builder import EventBuilders, Verdict

__all__ = ["Emitter", "freeze_clock"]

_now: Callable[[tzinfo], datetime] = datetime.now


class Emitter(Dispatcher):
    """Builds events, with the contexts that are active, and sends them through a pipeline.

    Args:
        context_locator: finds the active contexts; by default each task and thread has its own.
        strict: raise what would be a warning.
    """

    def __init__(self, context_locator: ContextLocator | None, *, strict: bool) -> None:
        self._locator = stack_locator(context_locator or ContextVarLocator())
        self._top = safe_top(self._locator)
        self._warnings = EventWarnings(strict=strict)
        self._names: dict[str, str] = {}  # names that need no change, each as its own value
        self._builders: EventBuilders | None = None
        self._registries: dict[str, Registry] = {}
        self._event_types: Registry | None = None  # until they are asked for
        if strict:
            self._event_builders()

    def emit(  # noqa: C901, PLR0912, PLR0915  each step inline, for speed
        self, name: object = None, data: object = None, *, timestamp: datetime | None = None
    ) -> str:
        """Say what happened. Never raises; returns the event's id.

        Args:
            name: what happened, in the manner of `org.area.verb`; or an instance of a class that
                `event` declares, without data.
            data: its fields; a value that is not a mapping becomes the field `value`.
            timestamp: when it happened; by default, now. A naive one is taken as UTC.

        Raises:
            InvalidEventError: the tracker is strict, and something would have been a warning.
        """
        if not same_process[0]:
            reset_after_fork()
        now = _now(UTC)
        event_id = id_at(now)
        pipeline = self._pipeline
        if pipeline.is_silent:
            return event_id
        try:
            cls, builders = None, self._builders
            if data is None and type(name) is not str:
                cls, name, data = typed_event(name)
                if cls is not None:
                    builders = self._event_builders()
            try:
                name = self._names[name]  # type: ignore[index]
            except Exception as error:  # noqa: BLE001  a name may be anything, and hash as it likes
                name = coerce_name(name, self._names, self._warnings, error)
            frame = self._top()
            if pipeline.provided is None:
                entered = context = {} if frame is None else frame.merged
            else:
                frame, entered, context = pipeline.provided.over(frame)
            if timestamp is not None:
                now = coerce_timestamp(timestamp, name, self._warnings)
            fields = data if type(data) is dict else coerce_data(data, name, self._warnings)
            event: Any
            if builders is None:
                event = {
                    "id": event_id,
                    "name": name,
                    "timestamp": now,
                    "context": context,
                    "data": fields,
                }
            else:
                build = builders[name if cls is None else cls]
                event = build(pipeline.policies, event_id, name, now, frame, context, fields)
                if type(event) is not dict:  # faster than `isinstance` of a verdict
                    event.event["context"] = context.copy()
                    self._route(event.event, event)
                    return event_id
            try:
                next(pipeline.emitted)
                send = pipeline.send
                if context is entered:
                    if send is pipeline.read_only_send:
                        shared_context[0] = context
                    else:
                        event["context"] = context.copy()
                send(event)
            finally:
                next(pipeline.left)
        except Replaced:
            self.send(event)
        except InvalidEventError:
            raise
        except BaseException as error:  # noqa: BLE001  nothing of ours may reach the application
            report_failure("emitted", error)
        return event_id

    def resolve_context(self) -> dict[str, Any]:
        """Return the union of the entered contexts as a new dict; the innermost value wins."""
        frame = self._top()
        return frame.merged.copy() if frame is not None else {}

    def event_context(self) -> dict[str, Any]:
        """Return the context that an event has here: what providers add, below what was entered."""
        return self._pipeline.context(self.resolve_context())

    def prepare(
        self,
        name: object = None,
        data: object = None,
        *,
        timestamp: datetime | None = None,
        event_id: str | None = None,
    ) -> PreparedEvent:
        """Make an event now, as `emit` does, and send it later or not at all.

        Its id, time and contexts are those of this call, and its data are copied. It goes through
        the processors when it is sent. Never raises.

        Args:
            name: as in `emit`.
            data: as in `emit`.
            timestamp: as in `emit`.
            event_id: a UUID, for events that have an id already; by default, a new one.

        Returns:
            the event, to be sent by its `send()`.

        Raises:
            InvalidEventError: the tracker is strict, and something would have been a warning.
        """
        check_fork()
        now = _now(UTC)
        event_id = event_id or id_at(now)
        try:
            cls = None
            if data is None:
                cls, name, data = typed_event(name)
            text = coerce_name(name, self._names, self._warnings)
            context = self.event_context()
            moment = now if timestamp is None else coerce_timestamp(timestamp, text, self._warnings)
            fields = coerce_data(data, text, self._warnings)
            event, verdict = _parted(
                self._assemble(event_id, text, moment, context, fields, cls=cls)
            )
            event = snapshot(event)
        except InvalidEventError:
            raise
        except BaseException as error:  # noqa: BLE001  nothing of ours may reach the application
            report_failure("prepared", error)
            return PreparedEvent(event_id, None)
        return PreparedEvent(event_id, partial(self._route, event, verdict))

    def forward(
        self,
        event_id: str,
        name: str,
        timestamp: datetime,
        context: dict[str, Any],
        data: dict[str, Any],
    ) -> None:
        """Emit an event that happened elsewhere, with its own id, time and context. Never raises.

        No context is added: `Tracker.event_context` has that of this place, once for many events.

        Args:
            event_id: a UUID.
            name: what happened.
            timestamp: when it happened, in UTC.
            context: the whole context; it belongs to the event from now on.
            data: its fields; they belong to the event from now on.

        Raises:
            InvalidEventError: the tracker is strict, and something would have been a warning.
        """
        check_fork()
        try:
            text = self._names.get(name) or coerce_name(name, self._names, self._warnings)
            self._route(*_parted(self._assemble(event_id, text, timestamp, context, data)))
        except InvalidEventError:
            raise
        except BaseException as error:  # noqa: BLE001  nothing of ours may reach the application
            report_failure("emitted", error)

    def _assemble(
        self,
        event_id: str,
        name: str,
        moment: datetime,
        context: dict[str, Any],
        data: dict[str, Any],
        *,
        cls: type | None = None,
    ) -> Event | Verdict:
        """Return an event, or what a policy does with it.

        Args:
            event_id: its id.
            name: a clean name.
            moment: when it happened.
            context: the whole context.
            data: its fields.
            cls: the class that declares its type, if there is one.
        """
        builders = self._builders if cls is None else self._event_builders()
        if builders is None:
            return {
                "id": event_id,
                "name": name,
                "timestamp": moment,
                "context": context,
                "data": data,
            }
        build = builders[name if cls is None else cls]
        frame = self._top()
        return build(self._pipeline.policies, event_id, name, moment, frame, context, data)

    def _event_builders(self) -> EventBuilders:
        """Return the builders of events; from now on, events are checked."""
        from eventtracking_core.validation.builder import EventBuilders  # noqa: PLC0415  costs imports

        if self._builders is None:
            self._builders = EventBuilders(self.event_types, self._warnings)
        return self._builders

    @property
    def event_types(self) -> Registry:
        """The registered types of events and contexts, with every earlier record."""
        if self._event_types is None:
            from eventtracking_core.registry.registry import Registry  # noqa: PLC0415  costs imports

            # Not strongly: processors hold registries.
            registry = Registry(partial(_registered, ref(self)))
            # Of two threads that come here at once, one must not lose what it registers.
            self._event_types = self._registries.setdefault("event types", registry)
        return self._event_types


def _parted(built: Event | Verdict) -> tuple[Event, Verdict | None]:
    """Return an event and the verdict on it, if a policy gave one."""
    return (built.event, built) if isinstance(built, tuple) else (built, None)


def freeze_clock(read: Callable[[tzinfo], datetime]) -> Callable[[], None]:
    """Take the time of events from a function, until the returned one is called; for tests."""
    global _now
    before, _now = _now, read

    def thaw() -> None:
        global _now  # noqa: PLW0603  as above
        _now = before

    return thaw


def _registered(emitter: ref[Emitter], record: EventType) -> None:
    """Check events by a record that was registered, and save it."""
    owner = emitter()
    if owner is not None:
        if owner._builders is None:  # noqa: SLF001  a method, but for the weak reference
            owner._event_builders()  # noqa: SLF001  as above
        else:
            owner._builders.forget(record)  # noqa: SLF001  as above
        owner._pipeline.write_metadata(record)  # noqa: SLF001  as above


emitting.append(Emitter.emit)
