"""The tracker: what an application configures, and emits through."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import WeakSet, proxy

from eventtracking_core.lifecycle.forks import check_fork
from eventtracking_core.lifecycle.holders import join
from eventtracking_core.lifecycle.postponing import uninterrupted
from eventtracking_core.pipeline.pipeline import Pipeline
from eventtracking_core.routing import RoutingBackend
from eventtracking_core.settings import DEFAULT, SHUTDOWN_TIMEOUT, switched
from eventtracking_core.tracker.entering import ContextEmitter

if TYPE_CHECKING:
    from eventtracking_core.components import Backend, BatchBackend, Processor
    from eventtracking_core.contexts import (
        ContextLocator,
        ContextProvider,
    )
    from eventtracking_core.registry import EventType, FieldDoc

__all__ = ["Tracker"]

alive: Final[WeakSet[Tracker]] = WeakSet()
"""Every tracker of the process."""


class Tracker(ContextEmitter):
    """Sends events, with the contexts that are active, to a tree of backends.

    Args:
        backends: child backends of the root router, by name; taken in sorted order of their names.
        context_locator: finds the active contexts; by default each task and thread has its own.
        processors: run on every event, before the backends.
        strict: raise what would be a warning. For tests.
        name: part of the directories of its spools, and of what it sends to workers of an
            `async_router`. `register_tracker` sets it too.

    Raises:
        ValueError: a backend has no callable `send`, or a processor is not callable.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend | BatchBackend] | None = None,
        context_locator: ContextLocator | None = None,
        processors: Iterable[Processor] | None = None,
        *,
        strict: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(context_locator, strict=strict)
        self._name = name
        self._configuring = RLock()
        # A cycle would keep a tracker alive.
        self._pipeline = Pipeline(RoutingBackend(backends, processors), owner=proxy(self))
        self._providers: tuple[ContextProvider, ...] = ()
        alive.add(self)
        join(self)

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
        from eventtracking_core.registry.record import EventType, registration  # noqa: PLC0415  costs imports
        from eventtracking_core.registry.registry import (  # noqa: PLC0415  as above
            checked_name,
            described_fields,
        )

        event_types = self.event_types
        record = EventType(
            name=checked_name(name),
            description=description,
            context_fields=described_fields(context_field_descriptions),
            fields=described_fields(field_descriptions, schema),
            schema=None if schema is None else dict(schema),
            owner=owner,
            tags=tuple(tags),
            examples=tuple(examples),
            deprecated=deprecated,
            **registration(),
        )
        return event_types.add(record)

    @property
    def name(self) -> str | None:
        """The tracker's name, if it has one."""
        return self._name

    def rename(self, name: str) -> None:
        """Set the tracker's name, for the next `configure`."""
        self._name = name

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
            ConfigurationError: with every problem; the tracker is unchanged.
        """
        from eventtracking_core.config.build import build  # noqa: PLC0415  costs imports
        from eventtracking_core.config.source import read  # noqa: PLC0415  as above

        check_fork()
        pipeline = (
            Pipeline(RoutingBackend(), owner=proxy(self))
            if switched("EVENTTRACKING_DISABLED")
            else build(read(config), self._name, proxy(self), instrumented=True)
        )
        if self._providers:
            pipeline.providers += self._providers
        if pipeline.instrumentation is not None:
            pipeline.instrumentation.instrument(pipeline, self._warnings)
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
            current = self._pipeline  # another thread may have configured meanwhile
            current.start()
            if current.policies is not DEFAULT:
                self._event_builders()
            if self._event_types is not None and current.metadata is not None:
                for record in self._event_types.records():
                    current.write_metadata(record)

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
