"""What a configuration amounts to at run time: one object, swapped in one assignment."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, Protocol

from eventtracking_core.diagnostics import describe, report
from eventtracking_core.holders import calls_below, hold
from eventtracking_core.interrupts import pass_on
from eventtracking_core.routing import Counter, RoutingBackend
from eventtracking_core.routing.binding import bind
from eventtracking_core.routing.compiled import chain
from eventtracking_core.settings import (
    DEFAULT,
    NO_TELEMETRY,
    SHUTDOWN_TIMEOUT,
    Policies,
    Telemetry,
)

if TYPE_CHECKING:
    from eventtracking_core.contexts import ContextProvider
    from eventtracking_core.events import Event
    from eventtracking_core.registry import EventType, MetadataStore
    from eventtracking_core.registry.keeping import Keeper
    from eventtracking_core.routing.binding import Owner

__all__ = [
    "Diverted",
    "Interceptor",
    "Pipeline",
    "Replaced",
    "Send",
    "emitting",
    "interceptors",
    "observers",
]

Send = Callable[["Event"], object]

emitting: Final[list[Callable[..., object]]] = []
"""The functions that count events in and out, by whose calls a thread knows that it is inside."""

observers: Final[list[Callable[[Event], object]]] = []
"""Who is told of every event, of every tree compiled since, before it is routed: for tests."""


class Interceptor(Protocol):
    """Takes the events of a tracker between the root's processors and its backends: for tests."""

    @property
    def passes(self) -> bool:
        """Whether the events go on to the backends."""

    def wants(self, owner: Owner | None) -> bool:
        """Return whether to take the events of a tracker."""

    def take(self, event: Event) -> None:
        """Take an event."""


interceptors: Final[list[Interceptor]] = []
"""What takes the events of every tree compiled since."""


class Diverted(Exception):  # noqa: N818  no error: what a policy says of an event
    """An event goes elsewhere than down the tree.

    Args:
        event: the event.
        send: brings it there.
    """

    def __init__(self, event: Event, send: Send) -> None:
        super().__init__()
        self.event = event
        self.send = send


class Replaced(Exception):  # noqa: N818  no error: the event goes into another tree
    """The tree takes no more events; its tracker has another."""


class Pipeline:
    """What `emit` needs of a configuration, swapped in one assignment."""

    _owner: Owner | None = None

    def __init__(
        self,
        root: RoutingBackend,
        providers: Iterable[ContextProvider] = (),
        shutdown_timeout: float = SHUTDOWN_TIMEOUT,
        policies: Policies = DEFAULT,
        metadata: MetadataStore | None = None,
        *,
        telemetry: Telemetry = NO_TELEMETRY,
    ) -> None:
        self.root = root
        self.providers = tuple(providers)
        self.shutdown_timeout = shutdown_timeout
        self.telemetry = telemetry
        self.policies = policies
        self.max_event_size = policies.max_event_size
        self.metadata = metadata
        self._metadata_writer: Keeper | None = None
        self.emitted_count = Counter()
        self.emitted = self.emitted_count.tick
        self._left_count = Counter()
        self.left = self._left_count.tick
        """`next(tree.left)` follows each `next(tree.emitted)`, when the event is where it goes."""
        self._is_replaced = False
        self.ends: list[Callable[[Pipeline], object]] = []
        """Called when no tracker refers to the tree any more."""
        self.changed()
        root.watch(self)

    def changed(self) -> None:
        """Compile anew, after a registration. A tree without backends sends nowhere."""
        if self._owner is not None:
            bind(self.root, self._owner)
        for leaf in self.root.leaves():
            leaf.shutdown_timeout = self.shutdown_timeout
        self.is_silent = not (self.root.children or interceptors or observers)
        self.send = _refuse if self._is_replaced else self._compiled()

    def _compiled(self) -> Send:
        send = self._intercepted() if interceptors else self.root.compile()
        return _observed(send) if observers else send

    def write_metadata(self, record: EventType) -> None:
        """Save a record in the metadata store, soon; where there is one."""
        if self.metadata is None or self._is_isolated():
            return
        if self._metadata_writer is None:
            from eventtracking_core.registry.keeping import Keeper  # noqa: PLC0415  costs imports

            self._metadata_writer = Keeper(self.metadata)
        self._metadata_writer.add(record)

    def start(self) -> None:
        """Begin what must not wait for the first event."""
        if not self._is_isolated():
            self.root.start()

    def _is_isolated(self) -> bool:
        """Return whether a test keeps the events from the backends."""
        return any(each.wants(self._owner) and not each.passes for each in interceptors)

    def _intercepted(self) -> Send:
        """Return the tree as a function that hands events to the interceptors first."""
        targets = tuple(self.root.targets())

        def intercept(event: Event) -> None:
            takers = [each for each in interceptors if each.wants(self._owner)]
            for taker in takers:
                taker.take(event)
            if all(taker.passes for taker in takers):
                for send in targets:
                    send(event)

        return chain(self.root, (intercept,)) if self.root.steps else intercept

    def flush(self, timeout: float) -> bool:
        """Wait until everything is delivered, and every record saved; tell whether it is."""
        deadline = monotonic() + timeout
        delivered = self.root.flush(timeout)
        left = max(0.0, deadline - monotonic())
        return (self._metadata_writer is None or self._metadata_writer.flush(left)) and delivered

    def replace(self, new: Pipeline) -> None:
        """Take no more events, wait for those that are inside, and shut down.

        Backends that the new tree uses too are not released.
        """
        deadline = monotonic() + self.shutdown_timeout
        shared_backends = {id(leaf.backend) for leaf in new.root.leaves()}
        for leaf in self.root.leaves():
            leaf.releases = leaf.releases and id(leaf.backend) not in shared_backends
        self._is_replaced = True
        self.changed()
        # An event is in the old tree as a whole, or in the new one: no leaf is closed before.
        self.wait_for_emitters(max(0.0, deadline - monotonic()))
        self.shutdown(max(0.0, deadline - monotonic()))

    def wait_for_emitters(self, timeout: float) -> bool:
        """Wait until no other thread sends an event through what was compiled before."""
        deadline = monotonic() + timeout
        interrupted = calls_below(*emitting)
        while True:
            left = self._left_count.value  # first: an event that enters now is counted as inside
            if self.emitted_count.value - left <= interrupted:
                return True
            if monotonic() >= deadline:
                return False
            sleep(0.0005)

    def forked(self) -> None:
        """Count from zero in a forked child, which begins empty."""
        self.emitted_count.restart()
        self._left_count.restart()
        self.root.forked()

    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        """Let what is pending be delivered, though no tracker is left that refers to the tree."""
        if _is_finalizing():  # everything was drained, and modules are taken apart
            return
        for end in self.ends:
            end(self)
        for leaf in self.root.leaves():
            leaf.abandon()
        if self._metadata_writer is not None:
            hold(self._metadata_writer)

    def shutdown(self, timeout: float) -> bool:
        """Close the tree; see `RoutingBackend.shutdown`."""
        deadline = monotonic() + timeout
        done = self.root.shutdown(timeout)
        left = max(0.0, deadline - monotonic())
        return (self._metadata_writer is None or self._metadata_writer.shutdown(left)) and done

    def count_dropped(self, reason: str, _event: Event) -> None:
        """Count an event that goes no further than here."""
        self.root.count_dropped(reason)

    def reject_invalid(self, error: str, event: Event) -> None:
        """Take an event through the processors, and into the dead letters of the backends."""
        if self._is_isolated():
            self.root.count_dropped("invalid")
            return
        self.root.rejecting(error)(event)

    def bind(self, owner: Owner) -> None:
        """Let processors look up fields in somebody's event types, also those that come later."""
        self._owner = owner
        self.changed()

    def context(self, entered: dict[str, Any]) -> dict[str, Any]:
        """Return what the providers say, with what was entered on top of it."""
        values: dict[str, Any] = {}
        for provider in self.providers:
            try:
                values.update(provider())
            except Exception as error:  # noqa: BLE001  the event matters more than its context
                pass_on(error)
                report(
                    logging.ERROR,
                    (id(provider), type(error)),
                    "context provider %s failed: %s",
                    type(provider).__name__,
                    describe(error),
                    extra={"provider": type(provider).__name__, "error": type(error).__name__},
                )
        values.update(entered)
        return values


def _observed(send: Send) -> Send:
    def tell_and_send(event: Event) -> None:
        for tell in observers:
            tell(event)
        send(event)

    return tell_and_send


def _refuse(_event: Event) -> None:
    raise Replaced
