"""The runtime pipeline built from a configuration; replaced atomically by `configure()`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

from eventtracking_core.contexts.provided import Provided
from eventtracking_core.deadlines import bounded, seconds_until, wait_until
from eventtracking_core.lifecycle.holders import calls_below, hold
from eventtracking_core.pipeline.interception import (
    Send,
    compile_tree,
    interceptors,
    is_isolated,
    observers,
)
from eventtracking_core.pipeline.replacing import Leaving, move
from eventtracking_core.routing import AtomicCounter, Leaf, RoutingBackend
from eventtracking_core.settings import DEFAULT, SHUTDOWN_TIMEOUT, Policies

if TYPE_CHECKING:
    from eventtracking_core.components import Processor
    from eventtracking_core.contexts import ContextProvider
    from eventtracking_core.events import Event
    from eventtracking_core.registry import EventType, MetadataStore
    from eventtracking_core.registry.store import MetadataWriter
    from eventtracking_core.routing.composite import Owner

__all__ = [
    "Instrumentation",
    "Pipeline",
    "Warnings",
    "emitting",
]

emitting: Final[list[Callable[..., object]]] = []
"""Functions that count events in and out; a thread inside one of them is emitting."""


class Warnings(Protocol):
    """The warnings of a tracker."""

    def counts(self) -> Mapping[str, int]:
        """Return the number of warnings of each code."""


class Instrumentation(Protocol):
    """Publishes metrics of a pipeline."""

    def instrument(self, pipeline: Pipeline, warnings: Warnings) -> None:
        """Publish metrics of a pipeline while it lives; its counts are kept afterwards."""


class Pipeline:
    """The active configuration of a tracker: tree, providers, policies, telemetry.

    Args:
        root: the routing tree.
        providers: of context values, under the entered contexts.
        shutdown_timeout: seconds that a shutdown may take.
        policies: what happens to unregistered, invalid and large events.
        metadata: saves records of event types.
        instrumentation: publishes metrics of the pipeline.
        owner: the tracker, or a proxy of it; processors look up fields in its event types.
    """

    def __init__(
        self,
        root: RoutingBackend,
        providers: Iterable[ContextProvider] = (),
        shutdown_timeout: float = SHUTDOWN_TIMEOUT,
        policies: Policies = DEFAULT,
        metadata: MetadataStore | None = None,
        *,
        instrumentation: Instrumentation | None = None,
        owner: Owner | None = None,
    ) -> None:
        self._owner = owner
        self.root = root
        self.providers = tuple(providers)
        self.shutdown_timeout = shutdown_timeout
        self.instrumentation = instrumentation
        self.policies = policies
        self.metadata = metadata
        self._metadata_writer: MetadataWriter | None = None
        self.emitted_count = AtomicCounter()
        self.emitted = self.emitted_count.tick
        self._moved = AtomicCounter()
        self._left_count = AtomicCounter()
        self.left: Iterator[object] = self._left_count.tick
        """`next(pipeline.left)` follows each `next(pipeline.emitted)`, after routing the event."""
        self._is_replaced = False
        self.leaves: list[Leaf] = []
        self.ends: list[Callable[[Pipeline], object]] = []
        """Called when no tracker refers to the pipeline any more."""
        self.changed()
        root.watch(self)

    def changed(self) -> None:
        """Compile again, after a registration. A tree without backends sends nowhere."""
        if self._owner is not None:
            _bind(self.root, self._owner)
        self.leaves = self.root.leaves()
        for leaf in self.leaves:
            leaf.shutdown_timeout = self.shutdown_timeout
        is_watched = bool(interceptors or observers)
        self.is_silent = not (self.root.children or is_watched)
        if self._is_replaced:
            self.send: Send = partial(move, self._moved)
        elif is_watched:
            self.send = compile_tree(self.root, self._owner)
        else:
            self.send = self.root.compile()
        is_read_only = not is_watched and self.root.is_read_only
        self.read_only_send = self.send if is_read_only else None
        """`send`, if nothing behind it changes or keeps an event, so that events may share data."""

    @property
    def events_emitted(self) -> int:
        """How many events entered and did not move to the pipeline that replaced this one."""
        moved = self._moved.value  # first: then none is taken off that is not counted yet
        return self.emitted_count.value - moved

    def write_metadata(self, record: EventType) -> None:
        """Save a record in the metadata store, if there is one, in the background."""
        if self.metadata is None or self._is_isolated():
            return
        if self._metadata_writer is None:
            from eventtracking_core.registry.store import MetadataWriter  # noqa: PLC0415  costs imports

            self._metadata_writer = MetadataWriter(self.metadata)
        self._metadata_writer.add(record)

    def start(self) -> None:
        """Start what must not wait for the first event."""
        if not self._is_isolated():
            for leaf in self.leaves:
                leaf.start()

    def _is_isolated(self) -> bool:
        return bool(interceptors) and is_isolated(self._owner)

    def flush(self, timeout: float) -> bool:
        """Wait until all is delivered and every record saved; return whether it is."""
        timeout = bounded(timeout)
        deadline = monotonic() + timeout
        delivered = self.root.flush(timeout)
        if self._metadata_writer is None:
            return delivered
        return self._metadata_writer.flush(seconds_until(deadline)) and delivered

    def replace(self, new: Pipeline) -> None:
        """Accept no more events, wait for those in flight here, and shut down.

        Backends that the new pipeline uses too are not released.
        """
        deadline = monotonic() + self.shutdown_timeout
        shared_backends = {id(leaf.backend) for leaf in new.leaves}
        for leaf in self.leaves:
            leaf.releases = leaf.releases and id(leaf.backend) not in shared_backends
        self._is_replaced = True
        self.send = partial(move, self._moved)
        # No leaf is closed before: an event goes wholly through the old pipeline, or the new one.
        if self._number_inside():
            self.wait_for_emitters(self.shutdown_timeout)
            if self._number_inside() and calls_below(*emitting):
                # A signal handler configures: the event that it interrupted goes on here, after it.
                self.flush(seconds_until(deadline))
                self.left = Leaving(self.left, self._shut_down_if_left)
                return
        self.shutdown(seconds_until(deadline))

    def wait_for_emitters(self, timeout: float) -> bool:
        """Wait until no other thread sends an event through what was compiled before."""
        if not self._number_inside():
            return True
        interrupted = calls_below(*emitting)
        deadline = monotonic() + timeout
        return wait_until(lambda: self._number_inside() <= interrupted, deadline, 0.0005)

    def _shut_down_if_left(self) -> None:
        if not self._number_inside():
            self.left = self._left_count.tick
            self.shutdown(self.shutdown_timeout)

    def _number_inside(self) -> int:
        left = self._left_count.value  # first: an event that enters now is counted as inside
        return self.emitted_count.value - left

    def forked(self) -> None:
        """Reset in a forked child."""
        self.emitted_count.reset()
        self._moved.reset()
        self._left_count.reset()
        self.root.forked()

    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        """Deliver what is pending, although no tracker refers to the pipeline any more."""
        if _is_finalizing():  # everything was drained, and modules are being cleared
            return
        if not hasattr(self, "ends"):  # an interrupt ended the constructor
            return
        for end in self.ends:
            end(self)
        for leaf in self.leaves:
            leaf.abandon()
        if self._metadata_writer is not None:
            hold(self._metadata_writer)

    def shutdown(self, timeout: float) -> bool:
        """Close the leaves and release the backends; see `RoutingBackend.shutdown`."""
        timeout = bounded(timeout)
        deadline = monotonic() + timeout
        saved = True
        try:
            done = self.root.shutdown(timeout)
        finally:
            if self._metadata_writer is not None:
                saved = self._metadata_writer.shutdown(seconds_until(deadline))
        return saved and done

    def count_dropped(self, reason: str) -> None:
        """Count an event that is dropped before the root's processors.

        Raises:
            Replaced: the tracker has another pipeline, which counts it.
        """
        if self._is_replaced:
            move(self._moved)
        self.root.count_dropped(reason)

    def reject_invalid(self, error: str, event: Event) -> None:
        """Run the processors on an invalid event, then put it into the backends' dead letters.

        Raises:
            Replaced: the tracker has another pipeline, which takes it.
        """
        if self._is_replaced:
            move(self._moved)
        if self._is_isolated():
            self.root.count_dropped("invalid")
            return
        self.root.compile(lambda leaf: partial(leaf.reject_invalid, error))(event)

    @property
    def providers(self) -> tuple[ContextProvider, ...]:
        """The providers of values for the context of every event, in their order."""
        return self.provided.providers if self.provided else ()

    @providers.setter
    def providers(self, providers: tuple[ContextProvider, ...]) -> None:
        self.provided = Provided(providers) if providers else None

    def context(self, entered: dict[str, Any]) -> dict[str, Any]:
        """Return what `Provided.context` returns; without providers, the entered contexts."""
        return self.provided.context(entered) if self.provided else entered


def _bind(router: RoutingBackend, owner: Owner, before: tuple[Processor, ...] = ()) -> None:
    """Pass event types to every processor of a tree that has `bind_event_types`.

    Args:
        router: the tree.
        owner: has the event types.
        before: the processors in front of the router that drop an event when they fail.
    """
    components: list[tuple[object, tuple[Processor, ...]]] = []
    for part in router.parts:
        for step in part.steps:
            components.append((step.processor, before))
            if step.on_error == "drop":
                before = (*before, step.processor)
        for child in part.children.values():
            below = child.backend if isinstance(child, Leaf) else child
            if isinstance(below, RoutingBackend):
                _bind(below, owner, before)
            else:
                components.append((below, before))
    for component, preceding in components:
        take = getattr(component, "bind_event_types", None)
        if callable(take):
            take(owner.event_types, preceding)
