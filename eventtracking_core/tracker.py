"""The tracker: what an application emits through."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Self, cast
from weakref import WeakSet, proxy, ref

from eventtracking_core.contexts import Scope
from eventtracking_core.diagnostics import describe, report
from eventtracking_core.encoding import snapshot
from eventtracking_core.errors import InvalidEventError
from eventtracking_core.events import Event, id_at
from eventtracking_core.forks import check_fork, reset_after_fork, same_process
from eventtracking_core.holders import join
from eventtracking_core.interrupts import pass_on
from eventtracking_core.pipeline import Pipeline, Replaced, emitting
from eventtracking_core.prepared import PreparedEvent
from eventtracking_core.routing import RoutingBackend
from eventtracking_core.settings import DEFAULT, SHUTDOWN_TIMEOUT
from eventtracking_core.signals import uninterrupted
from eventtracking_core.validation.arguments import (
    coerce_data,
    coerce_name,
    coerce_timestamp,
    typed_event,
)
from eventtracking_core.validation.reporting import EventWarnings

if TYPE_CHECKING:
    from eventtracking_core.components import Backend, BatchBackend, Processor
    from eventtracking_core.contexts import (
        Context,
        ContextLocator,
        ContextProvider,
        EnteredContext,
    )
    from eventtracking_core.registry import EventType, FieldDoc, Registry
    from eventtracking_core.validation.builder import EventBuilders, Verdict

__all__ = ["Tracker"]

_now: Callable[[tzinfo], datetime] = datetime.now

alive: Final[WeakSet[Tracker]] = WeakSet()
"""Every tracker of the process."""


class Tracker:
    """Sends events, with the contexts that are active, to a tree of backends.

    Args:
        backends: child backends of the root router, by name; taken in sorted order of their names.
        context_locator: finds the active contexts; by default each task and thread has its own.
        processors: run on every event, before the backends.
        strict: raise what would be a warning. For tests.

    Raises:
        ValueError: a backend has no callable `send`, or a processor is not callable.
    """

    _event_types: Registry | None = None  # until they are asked for

    def __init__(
        self,
        backends: Mapping[str, Backend | BatchBackend] | None = None,
        context_locator: ContextLocator | None = None,
        processors: Iterable[Processor] | None = None,
        *,
        strict: bool = False,
    ) -> None:
        self._scope = Scope(context_locator)
        self._top = self._scope.top
        self.name: str | None = None
        self._configuring = RLock()
        self._warnings = EventWarnings(strict=strict)
        self._names: dict[str, str] = {}  # names that need no change, each as its own value
        # A cycle would keep a tracker alive.
        self._pipeline = Pipeline(RoutingBackend(backends, processors), owner=proxy(self))
        self._builders: EventBuilders | None = None
        self._providers: tuple[ContextProvider, ...] = ()
        if strict:
            self._event_builders()
        alive.add(self)
        join(self)

    def emit(  # noqa: C901, PLR0912  each step inline, for speed
        self, name: object = None, data: object = None, *, timestamp: datetime | None = None
    ) -> str:
        """Say what happened. Never raises; returns the event's id.

        Args:
            name: what happened, in the manner of `org.area.verb`; or an instance of a class that
                `event` declares, without data.
            data: its fields; a value that is no mapping becomes the field `value`.
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
            cls = None
            if data is None and type(name) is not str:
                cls, name, data = typed_event(name)
            try:
                name = self._names[name]  # type: ignore[index]
            except Exception as error:  # noqa: BLE001  a name may be anything, and hash as it likes
                name = coerce_name(name, self._names, self._warnings, error)
            frame = self._top()
            if pipeline.providers:
                context = pipeline.context({} if frame is None else frame.merged)
            else:
                context = {} if frame is None else frame.merged.copy()
            if timestamp is not None:
                now = coerce_timestamp(timestamp, name, self._warnings)
            fields = data if type(data) is dict else coerce_data(data, name, self._warnings)
            event: Any
            if self._builders is None and cls is None:
                event = {
                    "id": event_id,
                    "name": name,
                    "timestamp": now,
                    "context": context,
                    "data": fields,
                }
            else:
                build = (self._builders or self._event_builders())[name if cls is None else cls]
                policies = pipeline.policies
                event = build(policies, event_id, name, now, frame, context, fields)
                if type(event) is not dict:  # faster than `isinstance` of a verdict
                    self._route(event.event, event)
                    return event_id
            try:
                next(pipeline.emitted)
                pipeline.send(event)
            finally:
                next(pipeline.left)
        except Replaced:
            self.send(event)
        except InvalidEventError:
            raise
        except BaseException as error:  # noqa: BLE001  nothing of ours may reach the application
            pass_on(error)
            report(logging.ERROR, type(error), "an event was not emitted: %s", describe(error))
        return event_id

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
            built = self._build(event_id, now, name, data, timestamp)
            verdict = built if isinstance(built, tuple) else None
            event = snapshot(built.event if isinstance(built, tuple) else built)
        except InvalidEventError:
            raise
        except BaseException as error:  # noqa: BLE001  nothing of ours may reach the application
            pass_on(error)
            report(logging.ERROR, type(error), "an event was not prepared: %s", describe(error))
            return PreparedEvent(event_id, None)
        return PreparedEvent(event_id, partial(self._route, event, verdict))

    def _build(
        self, event_id: str, now: datetime, name: object, data: object, timestamp: object
    ) -> Event | Verdict:
        """Return an event, or what a policy does with it; see `emit`."""
        pipeline, warnings = self._pipeline, self._warnings
        cls = None
        if data is None:
            cls, name, data = typed_event(name)
        text = coerce_name(name, self._names, warnings)
        frame = self._top()
        context = pipeline.context({} if frame is None else frame.merged)
        moment = now if timestamp is None else coerce_timestamp(timestamp, text, warnings)
        fields = coerce_data(data, text, warnings)
        if self._builders is None and cls is None:
            made = {"id": event_id, "name": text, "timestamp": moment}
            return cast("Event", {**made, "context": context, "data": fields})
        build = (self._builders or self._event_builders())[text if cls is None else cls]
        return build(pipeline.policies, event_id, text, moment, frame, context, fields)

    def _event_builders(self) -> EventBuilders:
        """Return the builders of events; from now on, events are checked."""
        from eventtracking_core.validation.builder import EventBuilders  # noqa: PLC0415  costs imports

        if self._builders is None:
            self._builders = EventBuilders(self.event_types, self._warnings)
        return self._builders

    def _begin(self) -> None:
        """Apply the pipeline's policies and write known event types to its metadata store."""
        if self._pipeline.policies is not DEFAULT:
            self._event_builders()
        if self._event_types is not None:
            for record in self._event_types.records():
                self._pipeline.write_metadata(record)

    def _registered(self, record: EventType) -> None:
        """Check events by a record that was registered, and save it."""
        self._event_builders()
        self._pipeline.write_metadata(record)

    def send(self, event: Event) -> None:
        """Route an existing event, such as a replay or a line of a log. Never raises."""
        check_fork()
        self._route(event)

    def _route(self, event: Event, verdict: Verdict | None = None) -> None:
        """Send an event through the pipeline, or apply a verdict; again if that was replaced."""
        replaced: Pipeline | None = None
        while (pipeline := self._pipeline) is not replaced:
            if pipeline.is_silent:
                return
            try:
                self._send(pipeline, event, verdict)
            except Replaced:
                replaced = pipeline
            else:
                return

    def _send(self, pipeline: Pipeline, event: Event, verdict: Verdict | None = None) -> None:
        try:
            next(pipeline.emitted)
            if verdict is None:
                pipeline.send(event)
            elif verdict.action == "reject":
                pipeline.count_dropped(verdict.reason)
            else:
                pipeline.reject_invalid(verdict.reason, event)
        except Replaced:
            raise
        except BaseException as error:  # noqa: BLE001  nothing of ours may reach the application
            pass_on(error)
            report(logging.ERROR, type(error), "an event was not sent: %s", describe(error))
        finally:
            next(pipeline.left)

    @property
    def event_types(self) -> Registry:
        """The registered types of events and contexts, with every earlier record."""
        if self._event_types is None:
            from eventtracking_core.registry import Registry  # noqa: PLC0415  costs imports

            made = Registry()
            made.watch(partial(_registered, ref(self)))  # not strongly: processors hold registries
            # Of two threads that come here at once, one must not lose what it registers.
            return cast("Registry", self.__dict__.setdefault("_event_types", made))
        return self._event_types

    def register(
        self,
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
        """Describe an event type, from now on; earlier records stay.

        Args:
            name: of the events, dotted: `org.area.verb`.
            description: what happened, and under which conditions the event is emitted.
            field_descriptions: of the data, by field name: a text, or a `FieldDoc`; dotted names
                describe nested fields, also in the items of a list.
            context_field_descriptions: of the context that every such event has.
            schema: JSON Schema (2020-12) of the data; `x-pii` names a class of personal data.
            owner: the responsible team or person.
            tags: words to find it by.
            examples: data of sample events.
            deprecated: what to use instead, if the type should not be used any more.

        Raises:
            ValueError: the name is not text, or a description is neither text nor `FieldDoc`.
        """
        return self.event_types.register(
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

    def context(
        self,
        name: str | Context | None = None,
        ctx: Context | None = None,
        description: str | None = None,
        field_descriptions: Mapping[str, str | FieldDoc] | None = None,
        **fields: object,
    ) -> EnteredContext:
        """Return a context manager: events emitted inside its block carry the context.

        `context("request", {"user_id": 1})`, or without a name `context({"user_id": 1})` and
        `context(user_id=1)`; the last form has no fields called as these arguments are.

        Args:
            name: of the context.
            ctx: its values by field name.
            description: when it is active; events refer to contexts that are described.
            field_descriptions: descriptions of its fields, by name; see `register`.
            fields: its values, in the form without a name.

        Raises:
            TypeError: the arguments have none of these forms.
            ValueError: a described context has no name, or a description is not text.
        """
        if isinstance(name, Mapping):
            name, ctx = None, name if ctx is None and not fields else None
        elif fields and name is None and ctx is None:
            ctx, fields = fields, {}
        if ctx is None or fields:
            raise TypeError("context takes a name and a mapping, a mapping, or keyword fields")
        type_id = self._described(name, description, field_descriptions)
        return self._scope.entered(name, ctx, type_id)

    def enter_context(
        self,
        name: str,
        ctx: Context,
        description: str | None = None,
        field_descriptions: Mapping[str, str | FieldDoc] | None = None,
    ) -> None:
        """Enter a named context, until `exit_context`. Re-entering a name nests.

        Args:
            name: of the context.
            ctx: its values by field name.
            description: when it is active; events refer to contexts that are described.
            field_descriptions: descriptions of its fields, by name; see `register`.

        Raises:
            ValueError: a described context has no name, or a description is not text.
        """
        type_id = self._described(name, description, field_descriptions)
        self._scope.enter(name, ctx, type_id)

    def _described(
        self,
        name: str | None,
        description: str | None,
        field_descriptions: Mapping[str, str | FieldDoc] | None,
    ) -> str | None:
        """Return the id of a context's record; None without a description."""
        if description is None and field_descriptions is None:
            return None
        if name is None:
            raise ValueError("a context that is described has a name")
        return self.event_types.describe_context(name, description or "", field_descriptions)

    def exit_context(self, name: str) -> None:
        """Leave the innermost context of that name, in whatever order contexts were entered.

        Raises:
            KeyError: no context of that name is active.
        """
        self._scope.exit(name)

    def resolve_context(self) -> dict[str, Any]:
        """Return the union of the entered contexts as a new dict; the innermost value wins."""
        return self._scope.merged()

    def event_context(self) -> dict[str, Any]:
        """Return the context that an event has here: what providers add, below what was entered."""
        return self._pipeline.context(self._scope.merged())

    @property
    def located_context(self) -> Mapping[str, Context]:
        """The contexts that are active here, by name, innermost last."""
        return self._scope.located()

    @property
    def backends(self) -> dict[str, Backend | BatchBackend]:
        """The backends at the root of the tree, by name."""
        return self._pipeline.root.backends

    @property
    def processors(self) -> list[Processor]:
        """The processors at the root of the tree."""
        return self._pipeline.root.processors

    def get_backend(self, name: str) -> Backend | BatchBackend:
        """Return the backend of that name at the root of the tree.

        Raises:
            KeyError: no backend has that name.
        """
        return self.backends[name]

    @property
    def pending(self) -> int:
        """How many accepted events are neither delivered, dropped nor dead-lettered yet."""
        return sum(leaf.stats()["pending"] for leaf in self._pipeline.root.leaves())

    def add_context_provider(self, provider: ContextProvider) -> None:
        """Add a provider that runs after those of the configuration, whatever is configured.

        For code that integrates a framework: an application names its providers in the
        configuration. A provider that was added already is not added again.
        """
        if provider not in self._providers:
            self._providers += (provider,)
            self._pipeline.providers += (provider,)

    @property
    def root(self) -> RoutingBackend:
        """The root of the routing tree; registering there takes effect at once."""
        return self._pipeline.root

    def configure(self, config: str | os.PathLike[str] | Mapping[str, Any] | None = None) -> None:
        """Build the pipeline of a configuration and swap it in; shut the old one down.

        Args:
            config: a file, or a dict of the same form. Without one, the file that
                `EVENTTRACKING_CONFIG_FILE` names, else `[tool.eventtracking]` in `pyproject.toml`.

        Raises:
            ConfigurationError: with every problem; the tracker stays as it was.
        """
        from eventtracking_core.config import build, read  # noqa: PLC0415  costs imports

        check_fork()
        is_disabled = _is_true(os.environ.get("EVENTTRACKING_DISABLED", ""))
        pipeline = (
            Pipeline(RoutingBackend(), owner=proxy(self))
            if is_disabled
            else build(read(config), self.name, proxy(self), instrumented=True)
        )
        pipeline.providers += self._providers
        pipeline.instrumentation.follow(pipeline, self._warnings)
        self._replace(pipeline)

    @uninterrupted
    def _replace(self, pipeline: Pipeline) -> None:
        # Only the swap is locked: building may wait for another thread's import, and shutting down
        # for a backend.
        with self._configuring:
            old, self._pipeline = self._pipeline, pipeline
        try:
            old.replace(pipeline)
        finally:
            self._pipeline.start()
            self._begin()

    @property
    def shutdown_timeout(self) -> float:
        """Timeout, in seconds, of a shutdown, as configured."""
        return self._pipeline.shutdown_timeout

    def flush(self, timeout: float = SHUTDOWN_TIMEOUT) -> bool:
        """Wait up to `timeout` seconds for emitted events; return whether all are delivered."""
        check_fork()
        return self._pipeline.flush(timeout)

    async def aflush(self, timeout: float = SHUTDOWN_TIMEOUT) -> bool:  # noqa: ASYNC109  as flush
        """Do what `flush` does without blocking the event loop; cancelling it loses no event."""
        from asyncio import to_thread  # noqa: PLC0415  most programs do not need it

        return await to_thread(self.flush, timeout)

    def close(self) -> None:
        """Accept no more events; pending ones are delivered until `shutdown`."""
        check_fork()
        for leaf in self._pipeline.root.leaves():
            leaf.close()

    def forked(self) -> None:
        """Reset in a forked child."""
        self._configuring = RLock()
        self._pipeline.forked()

    @uninterrupted
    def shutdown(self, timeout: float | None = None) -> bool:
        """Close the pipeline and release its backends; return whether that ended in time.

        Events left in a spool are delivered by the next process: `flush` returns whether all were
        delivered.

        Args:
            timeout: seconds, in all; the configuration's `shutdown_timeout` if not given.
        """
        check_fork()
        pipeline = self._pipeline
        return pipeline.shutdown(pipeline.shutdown_timeout if timeout is None else timeout)

    async def ashutdown(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109  as shutdown
        """Do what `shutdown` does without blocking the event loop; cancelling it stops nothing."""
        from asyncio import to_thread  # noqa: PLC0415  as in `aflush`

        return await to_thread(self.shutdown, timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.ashutdown()

    def stats(self) -> dict[str, Any]:
        """Return the counters of every node since `configure`.

        `{"emitted", "warnings", "tree"}`; a node of the tree has `accepted`, and `dropped` by
        reason; a router its `processors` and `backends`, a backend its `delivered` and `pending`.
        """
        check_fork()
        pipeline = self._pipeline
        emitted = pipeline.events_emitted
        return {
            "emitted": emitted,
            "warnings": self._warnings.counts(),
            "tree": {"name": "", "type": "router", **pipeline.root.stats(emitted)},
        }


def freeze_clock(read: Callable[[tzinfo], datetime]) -> Callable[[], None]:
    """Take the time of events from a function, until the returned one is called; for tests."""
    global _now
    before, _now = _now, read

    def thaw() -> None:
        global _now  # noqa: PLW0603  as above
        _now = before

    return thaw


def _is_true(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "on"}


def _registered(tracker: ref[Tracker], record: EventType) -> None:
    found = tracker()
    if found is not None:
        found._registered(record)  # noqa: SLF001  a method, but for the weak reference


emitting.extend((Tracker.emit, Tracker._send))  # noqa: SLF001  they count events in and out
