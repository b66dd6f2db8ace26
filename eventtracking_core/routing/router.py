"""The one composite: a chain of processors, then backends, which may be routers again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from operator import attrgetter
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from eventtracking_core.deadlines import seconds_until
from eventtracking_core.encoding import snapshot
from eventtracking_core.errors import ClosedError, EventEmissionExit
from eventtracking_core.routing.compiled import Send, Watcher, chain, fan_out
from eventtracking_core.routing.leaf import InlineLeaf, Leaf
from eventtracking_core.routing.ledger import Ledger
from eventtracking_core.routing.parts import Split
from eventtracking_core.routing.processor_node import ProcessorNode, process
from eventtracking_core.routing.statistics import router_stats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from eventtracking_core.components import Backend, BatchBackend, Processor
    from eventtracking_core.events import Event

__all__ = ["RoutingBackend"]

Terminal = Callable[[Leaf], Send]
"""What a tree calls at a leaf."""

DELIVER: Final[Terminal] = attrgetter("deliver")
_mutates: Final = attrgetter("mutates")
_is_built_in: Final = attrgetter("is_built_in")
_is_read_only: Final = attrgetter("is_read_only")

LEAVES_WITHIN: Final = 0.1
"""Seconds that a leaf which was unregistered waits for threads that are about to use it."""


class RoutingBackend:
    """Sends each event through its processors in order, then to each of its backends in order.

    A router is itself a backend, so trees have any depth. Each router with a processor that may
    change events works on a copy of its own: neither its siblings nor the caller see the change.

    Args:
        backends: child backends by name; taken in sorted order of their names.
        processors: callables, run in their order.

    Raises:
        ValueError: a backend has no callable `send`, or a processor is not callable.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend | BatchBackend] | None = None,
        processors: Iterable[Processor] | None = None,
    ) -> None:
        self.ledger = Ledger()
        self.children: dict[str, Leaf | RoutingBackend] = {}
        """The nodes below this one, by name: leaves and routers."""
        self.steps: list[ProcessorNode] = []
        """The processors at their places, with their counters."""
        self.copies = False
        """Whether a processor may change the event, so that this router works on a copy."""
        self._compiled: Send | None = None
        self._watchers: WeakSet[Watcher] = WeakSet()
        if backends or processors:
            self.register_all(dict(sorted((backends or {}).items())), processors or ())

    @property
    def backends(self) -> dict[str, Backend | BatchBackend]:
        """The registered backends, by name."""
        return {
            name: child.registered if isinstance(child, Leaf) else child
            for name, child in self.children.items()
        }

    @property
    def processors(self) -> list[Processor]:
        """The registered processors, in their order."""
        return [step.processor for step in self.steps]

    @property
    def parts(self) -> tuple[RoutingBackend, ...]:
        """The routers that are one node of the configuration: this one, and any behind it.

        A composite backend has its children in a router of their own, which runs elsewhere.
        """
        return (self,)

    def register_backend(self, name: str, backend: Backend | BatchBackend | Leaf) -> None:
        """Add a backend; it is called after the registered ones. Raises as `register_all` does."""
        self.register_all({name: backend})

    def register_processor(self, processor: Processor | ProcessorNode) -> None:
        """Add a processor; it runs after the registered ones. Raises as `register_all` does."""
        self.register_all({}, [processor])

    def register_all(
        self,
        backends: Mapping[str, Backend | BatchBackend | Leaf],
        processors: Iterable[Processor | ProcessorNode] = (),
    ) -> None:
        """Add backends and processors in their order, after the registered ones.

        Raises:
            ValueError: a backend has no callable `send`, or a processor is not callable.
        """
        replaced = [self.children[name] for name in backends if name in self.children]
        for name, backend in backends.items():
            if isinstance(backend, RoutingBackend) and _is_plain(backend):
                backend.watch(self)
            elif not isinstance(backend, Leaf):
                backend = InlineLeaf(name, backend)  # noqa: PLW2901  at its place in the tree
            self.children[name] = backend
        steps = [
            each if isinstance(each, ProcessorNode) else ProcessorNode(each) for each in processors
        ]
        # First: another thread may be about to run the processors.
        self.copies = self.copies or any(map(_mutates, steps))
        self.steps += steps
        self.changed()
        for child in replaced:
            self._retire(child)

    def unregister_backend(self, name: str) -> Backend | BatchBackend:
        """Remove a backend from the tree and return it; it is neither flushed nor shut down.

        Raises:
            KeyError: no backend has that name.
        """
        child = self.children[name]
        # A new dict: another thread may be going through the old one.
        self.children = {key: node for key, node in self.children.items() if key != name}
        if isinstance(child, RoutingBackend):
            child._watchers.discard(self)  # noqa: SLF001  another one of us
        self.changed()
        self._retire(child)
        return child.registered if isinstance(child, Leaf) else child

    def _retire(self, child: Leaf | RoutingBackend) -> None:
        """Let a node that left the tree deliver what is pending."""
        if isinstance(child, Leaf):
            self.wait_for_emitters(LEAVES_WITHIN)
            child.retire()
        else:  # it may be registered elsewhere too
            for leaf in child.leaves():
                leaf.outlive()

    def wait_for_emitters(self, timeout: float) -> bool:
        """Wait until no other thread sends an event through what was compiled before."""
        deadline = monotonic() + timeout
        return False not in [
            watcher.wait_for_emitters(seconds_until(deadline)) for watcher in list(self._watchers)
        ]

    def watch(self, watcher: Watcher) -> None:
        """Call a watcher at each change of the tree; it is not kept alive."""
        self._watchers.add(watcher)

    def changed(self) -> None:
        """Compile again on the next use, as does everything that holds this router."""
        self._compiled = None
        for watcher in list(self._watchers):
            watcher.changed()

    def compile(self, terminal: Terminal = DELIVER) -> Send:
        """Return the tree as a plain function; delivery is compiled once per registration.

        Args:
            terminal: returns what is called at a leaf; by default, the leaf delivers.
        """
        if terminal is not DELIVER:
            return self.lead_to(tuple(self.targets(terminal)))
        if self._compiled is None:
            self._compiled = self.lead_to(tuple(self.targets()))
        return self._compiled

    def lead_to(self, targets: tuple[Send, ...]) -> Send:
        """Return a function that runs the processors on an event, then sends it to the targets."""
        if self.steps:
            return chain(self.steps, self.ledger, targets, copies=self.copies)
        return targets[0] if len(targets) == 1 else fan_out(targets)

    def count_dropped(self, reason: str) -> None:
        """Count an event that the router accepted and dropped without running its processors."""
        if self.steps:
            self.ledger.accepted.add()
        self.ledger.drop(reason)

    def targets(self, terminal: Terminal = DELIVER) -> list[Send]:
        """Return what is called after the processors: a child without some adds no call."""
        targets: list[Send] = []
        for child in self.children.values():
            if isinstance(child, Leaf):
                targets.append(terminal(child))
            elif child.steps:
                targets.append(child.compile(terminal))
            else:
                targets += child.targets(terminal)
        return targets

    def send(self, event: Event) -> None:
        """Process an event and send it to all backends. Logs and swallows every failure."""
        if not _is_plain(self):
            with suppress(EventEmissionExit):
                processed = self.process_event(event)
                for each in processed if isinstance(processed, list) else (processed,):
                    self.send_to_backends(each)
            return
        with suppress(ClosedError):
            self.compile()(event)

    def process_event(self, event: Event) -> Event | list[Event]:
        """Return the event after the processors; a list if one of them returned a list.

        Their failures are logged and swallowed.

        Raises:
            EventEmissionExit: the processors dropped the event, or every part of it.
        """
        try:
            return process(self.steps, snapshot(event) if self.copies else event)
        except Split as split:
            if not split.parts:
                raise EventEmissionExit from None
            return split.parts

    @property
    def is_read_only(self) -> bool:
        """Whether nothing below changes or keeps an event that is sent here, or a part of it."""
        if self.copies:
            return True
        return all(map(_is_built_in, self.steps)) and all(
            map(_is_read_only, self.children.values())
        )

    def send_to_backends(self, event: Event) -> None:
        """Send an event to all backends, past the processors. Logs and swallows every failure."""
        with suppress(ClosedError):
            for send in self.targets():
                send(event)

    def leaves(self) -> list[Leaf]:
        """Return the leaves of the tree, in the order in which they are called."""
        leaves: list[Leaf] = []
        for child in self.children.values():
            leaves += [child] if isinstance(child, Leaf) else child.leaves()
        return leaves

    def forked(self) -> None:
        """Reset in a forked child; the leaves reset themselves."""
        self.ledger.reset()
        for step in self.steps:
            step.reset()
        for child in self.children.values():
            if isinstance(child, RoutingBackend):
                child.forked()

    def flush(self, timeout: float) -> bool:
        """Wait until every backend has delivered what it accepted; `timeout` covers all of them."""
        deadline = monotonic() + timeout
        return False not in [leaf.flush(seconds_until(deadline)) for leaf in self.leaves()]

    def shutdown(self, timeout: float) -> bool:
        """Close every leaf, then release the backends' resources; `timeout` covers all of them."""
        deadline = monotonic() + timeout
        leaves = self.leaves()
        for leaf in leaves:
            leaf.close()
        done, exits = True, []
        for leaf in leaves:
            try:
                done = leaf.shutdown(seconds_until(deadline)) and done
            except SystemExit as error:  # the others are shut down all the same
                exits.append(error)
        if exits:
            raise exits[0]
        return done

    def stats(self, entered: int) -> dict[str, Any]:
        """Return the counters of the router and of everything below it.

        Args:
            entered: how many events reached it; a router without processors does not count.
        """
        accepted = self.ledger.accepted.value if self.steps else entered
        return router_stats(self.ledger, self.steps, self.children, accepted)


def _is_plain(router: RoutingBackend) -> bool:
    """Return whether a router can be compiled: a subclass overrides none of its sending."""
    return all(
        getattr(type(router), method) is getattr(RoutingBackend, method)
        for method in ("send", "process_event", "send_to_backends")
    )
