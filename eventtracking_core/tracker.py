"""The tracker: what an application emits through."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet, proxy

from eventtracking_core.diagnostics import describe, report
from eventtracking_core.errors import InvalidEventError
from eventtracking_core.events import Event, id_at
from eventtracking_core.forks import check_fork, reset_after_fork, same_process
from eventtracking_core.holders import join
from eventtracking_core.intake import Intake
from eventtracking_core.interrupts import pass_on
from eventtracking_core.pipeline import Diverted, Pipeline, Replaced, Send, emitting
from eventtracking_core.routing import RoutingBackend
from eventtracking_core.scope import Scope
from eventtracking_core.settings import DEFAULT, SHUTDOWN_TIMEOUT
from eventtracking_core.signals import uninterrupted

if TYPE_CHECKING:
    from eventtracking_core.components import Backend, BatchBackend, Processor
    from eventtracking_core.contexts import ContextLocator, ContextProvider
    from eventtracking_core.registry import EventType
    from eventtracking_core.stamps import Stamps

__all__ = ["Tracker"]

_now = datetime.now  # tests may stop it


alive: Final[WeakSet[Tracker]] = WeakSet()
"""Every tracker of the process."""


class Tracker(Scope):
    """Says what happened, with the contexts that are active, to a tree of backends.

    Args:
        backends: child backends of the tree's root, by name; taken in sorted order of their names.
        context_locator: finds the active contexts; by default each task and thread has its own.
        processors: run on every event, before the backends.
        strict: raise what would be a warning. For tests.

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
    ) -> None:
        super().__init__(context_locator)
        self.name: str | None = None
        self._configuring = RLock()
        self._intake = Intake(strict=strict)
        self._names = self._intake.names
        self._pipeline = Pipeline(RoutingBackend(backends, processors))
        self._pipeline.bind(proxy(self))  # a cycle would keep a tracker alive
        self._stamps: Stamps | None = None
        self._providers: tuple[ContextProvider, ...] = ()
        if strict:
            self._stamping()
        alive.add(self)
        join(self)

    def emit(  # noqa: C901  each step inline, for speed
        self, name: object = None, data: object = None, *, timestamp: datetime | None = None
    ) -> str:
        """Say what happened. Never raises; returns the event's id.

        Args:
            name: what happened, in the manner of `org.area.verb`; or an instance of a class that
                `event` declares, without data.
            data: its fields; what is no mapping becomes the field `value`.
            timestamp: when it happened; now, if not given. A naive one is taken as UTC.

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
            kind = None
            if data is None and type(name) is not str:
                kind, name, data = self._intake.declared(name)
            try:
                name = self._names[name]  # type: ignore[index]
            except Exception as error:  # noqa: BLE001  a name may be anything, and hash as it likes
                name = self._intake.name(name, error)
            frame = self._top()
            context = {} if frame is None else frame.merged.copy()
            if pipeline.providers:
                context = pipeline.context(context)
            now = now if timestamp is None else self._intake.timestamp(timestamp, name)
            fields = data if type(data) is dict else self._intake.data(data, name)
            event: Event
            if self._stamps is None and kind is None:
                event = {
                    "id": event_id,
                    "name": name,
                    "timestamp": now,
                    "context": context,
                    "data": fields,
                }
            else:
                stamp = (self._stamps or self._stamping())[name if kind is None else kind]
                event = stamp(pipeline, event_id, name, now, frame, context, fields)
            try:
                next(pipeline.emitted)
                pipeline.send(event)
            finally:
                next(pipeline.left)
        except Replaced:
            self.send(event)
        except Diverted as diverted:
            self._send(pipeline, diverted.send, diverted.event)
        except InvalidEventError:
            raise
        except BaseException as error:  # noqa: BLE001  nothing of ours may reach the application
            pass_on(error)
            report(logging.ERROR, type(error), "an event was not emitted: %s", describe(error))
        return event_id

    def _stamping(self) -> Stamps:
        """Begin to stamp and to check events: there is what to check them against."""
        from eventtracking_core.stamps import Stamps  # noqa: PLC0415  costs imports

        if self._stamps is None:
            self._stamps = Stamps(self.event_types, self._intake)
        return self._stamps

    def _begin(self) -> None:
        """Do by the present tree's policies, and fill its metadata store."""
        if self._pipeline.policies is not DEFAULT:
            self._stamping()
        if self._event_types is not None:
            for record in self._event_types.records():
                self._pipeline.write_metadata(record)

    def _registered(self, record: EventType) -> None:
        self._stamping()
        self._pipeline.write_metadata(record)

    def send(self, event: Event) -> None:
        """Route an event that was made elsewhere: a replay, or a line of a log. Never raises."""
        check_fork()
        replaced: Pipeline | None = None
        while (pipeline := self._pipeline) is not replaced:
            if pipeline.is_silent:
                return
            try:
                self._send(pipeline, None, event)
            except Replaced:
                replaced = pipeline
            else:
                return

    def _send(self, pipeline: Pipeline, send: Send | None, event: Event) -> None:
        try:
            next(pipeline.emitted)
            (send or pipeline.send)(event)
        except Replaced:
            raise
        except BaseException as error:  # noqa: BLE001  nothing of ours may reach the application
            pass_on(error)
            report(logging.ERROR, type(error), "an event was not sent: %s", describe(error))
        finally:
            next(pipeline.left)

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
            KeyError: there is none.
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
        """Build the tree that a configuration describes and swap it in; shut the old one down.

        Args:
            config: a file, or a dict of the same form. Without one, the file that
                `EVENTTRACKING_CONFIG_FILE` names, else `[tool.eventtracking]` in `pyproject.toml`.

        Raises:
            ConfigurationError: with every problem; the tracker stays as it was.
        """
        from eventtracking_core.config import build, read  # noqa: PLC0415  costs imports
        from eventtracking_core.telemetry import instrument  # noqa: PLC0415

        check_fork()
        is_disabled = _is_true(os.environ.get("EVENTTRACKING_DISABLED", ""))
        pipeline = (
            Pipeline(RoutingBackend())
            if is_disabled
            else build(read(config), self.name, proxy(self))
        )
        pipeline.bind(proxy(self))
        pipeline.providers += self._providers
        instrument(pipeline, self._intake)
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
        """Seconds that shutting down may take, as configured."""
        return self._pipeline.shutdown_timeout

    def flush(self, timeout: float = SHUTDOWN_TIMEOUT) -> bool:
        """Wait, at most `timeout` seconds, for what was emitted; tell whether it is delivered."""
        check_fork()
        return self._pipeline.flush(timeout)

    async def aflush(self, timeout: float = SHUTDOWN_TIMEOUT) -> bool:  # noqa: ASYNC109  as flush
        """Do what `flush` does, without blocking the event loop; cancelling it loses nothing."""
        from asyncio import to_thread  # noqa: PLC0415  most programs do not need it

        return await to_thread(self.flush, timeout)

    def close(self) -> None:
        """Take no more events; what waits is delivered until `shutdown`."""
        check_fork()
        for leaf in self._pipeline.root.leaves():
            leaf.close()

    def forked(self) -> None:
        """Count from zero in a forked child, which begins empty."""
        self._configuring = RLock()
        self._pipeline.forked()

    @uninterrupted
    def shutdown(self, timeout: float | None = None) -> bool:
        """Close the tree and release what its backends hold; tell whether that ended in time.

        Events that are in a spool then are delivered by the next process: `flush` says whether
        everything was delivered.

        Args:
            timeout: seconds, in all; the configuration's `shutdown_timeout` if not given.
        """
        check_fork()
        pipeline = self._pipeline
        return pipeline.shutdown(pipeline.shutdown_timeout if timeout is None else timeout)

    def stats(self) -> dict[str, Any]:
        """Return the counters of every node since the tree was configured.

        `{"emitted", "warnings", "tree"}`; a node of the tree has `accepted`, and `dropped` by
        reason; a router its `processors` and `backends`, a backend its `delivered` and `pending`.
        """
        check_fork()
        pipeline = self._pipeline
        emitted = pipeline.emitted_count.value
        return {
            "emitted": emitted,
            "warnings": self._intake.warnings(),
            "tree": {"name": "", "type": "router", **pipeline.root.stats(emitted)},
        }


def _is_true(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "on"}


emitting.extend((Tracker.emit, Tracker._send))  # noqa: SLF001  they count events in and out
