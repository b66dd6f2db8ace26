"""The tracker: what an application emits through."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from eventtracking_core.contexts import (
    ContextVarLocator,
    EnteredContext,
    Frame,
    remove,
    stack_locator,
)
from eventtracking_core.diagnostics import describe, report
from eventtracking_core.errors import ClosedError, InvalidEventError
from eventtracking_core.events import Event, id_at
from eventtracking_core.intake import Intake
from eventtracking_core.routing import RoutingBackend
from eventtracking_core.tree import SHUTDOWN_TIMEOUT, Tree

if TYPE_CHECKING:
    from eventtracking_core.components import Backend, BatchBackend, Processor
    from eventtracking_core.contexts import Context, ContextLocator

__all__ = ["Tracker"]

_now: Final = datetime.now


alive: Final[WeakSet[Tracker]] = WeakSet()
"""Every tracker of the process."""


class Tracker:
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
        self._locator = stack_locator(context_locator or ContextVarLocator())
        ours = isinstance(self._locator, ContextVarLocator)
        self._top = self._locator.top if ours else self._located
        self._intake = Intake(strict=strict)
        self._names = self._intake.names
        self._tree = Tree(RoutingBackend(backends, processors))
        alive.add(self)

    def emit(
        self, name: str | None = None, data: object = None, *, timestamp: datetime | None = None
    ) -> str:
        """Say what happened. Never raises; returns the event's id.

        Args:
            name: what happened, in the manner of `org.area.verb`.
            data: its fields; what is no mapping becomes the field `value`.
            timestamp: when it happened; now, if not given. A naive one is taken as UTC.

        Raises:
            InvalidEventError: the tracker is strict, and something would have been a warning.
        """
        now = _now(UTC)
        event_id = id_at(now)
        tree = self._tree
        send = tree.send
        if send is None:
            return event_id
        try:
            try:
                name = self._names[name]  # type: ignore[index]
            except Exception:  # noqa: BLE001  a name may be anything, and hash as it likes
                name = self._intake.name(name)
            frame = self._top()
            event: Event = {
                "id": event_id,
                "name": name,
                "timestamp": now if timestamp is None else self._intake.timestamp(timestamp, name),
                "context": {} if frame is None else frame.merged.copy(),
                "data": data if type(data) is dict else self._intake.data(data, name),
            }
            if tree.providers:
                event["context"] = tree.context(event["context"])
            next(tree.emitted)
            send(event)
        except ClosedError:
            self._send_again(tree, event)
        except (KeyboardInterrupt, SystemExit, InvalidEventError):
            raise
        except BaseException as error:  # noqa: BLE001  nothing may reach the application
            report(logging.ERROR, type(error), "an event was not emitted: %s", describe(error))
        return event_id

    def send(self, event: Event) -> None:
        """Route an event that was made elsewhere: a replay, or a line of a log. Never raises."""
        tree = self._tree
        if tree.send is None:
            return
        next(tree.emitted)
        try:
            tree.send(event)
        except ClosedError:
            self._send_again(tree, event)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  nothing may reach the application
            report(logging.ERROR, type(error), "an event was not sent: %s", describe(error))

    def _send_again(self, tree: Tree, event: Event) -> None:
        """Bring an event that found its tree closed to the one that took its place."""
        while (current := self._tree) is not tree:
            tree = current
            if tree.send is None:
                return
            next(tree.emitted)
            try:
                tree.send(event)
            except ClosedError:
                continue
            return
        report(logging.WARNING, "closed", "an event was emitted after shutdown")

    def _located(self) -> Frame | None:
        """Return the contexts; a locator of somebody's own may fail."""
        try:
            return self._locator.top()
        except Exception as error:  # noqa: BLE001  the event matters more than its context
            report(
                logging.ERROR,
                ("locator", type(error)),
                "the context locator failed: %s",
                describe(error),
            )
            return None

    def context(
        self, name: str | Context | None = None, ctx: Context | None = None, **fields: object
    ) -> EnteredContext:
        """Return a context manager: events emitted inside its block carry the context.

        `context("request", {"user_id": 1})`, or without a name `context({"user_id": 1})` and
        `context(user_id=1)`; the last form has no fields called `name` or `ctx`.

        Raises:
            TypeError: the arguments are of none of these forms.
        """
        if isinstance(name, Mapping):
            name, ctx = None, name if ctx is None and not fields else None
        elif fields and name is None and ctx is None:
            ctx, fields = fields, {}
        if ctx is None or fields:
            raise TypeError("context takes a name and a mapping, a mapping, or keyword fields")
        return EnteredContext(self._locator, name, ctx)

    def enter_context(self, name: str, ctx: Context) -> None:
        """Enter a named context, until `exit_context`. Re-entering a name nests."""
        self._locator.set_top(Frame(name, ctx, self._locator.top(), None))

    def exit_context(self, name: str) -> None:
        """Leave the innermost context of that name, in whatever order contexts were entered.

        Raises:
            KeyError: there is none.
        """
        remove(self._locator, lambda frame: frame.name == name, name)

    def resolve_context(self) -> dict[str, Any]:
        """Return the union of the entered contexts as a new dict; the innermost value wins."""
        frame = self._top()
        return frame.merged.copy() if frame is not None else {}

    @property
    def located_context(self) -> Mapping[str, Context]:
        """The contexts that are active here, by name, innermost last."""
        return self._locator.get()

    @property
    def backends(self) -> dict[str, Backend | BatchBackend]:
        """The backends at the root of the tree, by name."""
        return self._tree.root.backends

    @property
    def processors(self) -> list[Processor]:
        """The processors at the root of the tree."""
        return self._tree.root.processors

    def get_backend(self, name: str) -> Backend | BatchBackend:
        """Return the backend of that name at the root of the tree.

        Raises:
            KeyError: there is none.
        """
        return self.backends[name]

    @property
    def root(self) -> RoutingBackend:
        """The root of the routing tree; registering there takes effect at once."""
        return self._tree.root

    def configure(self, config: str | os.PathLike[str] | Mapping[str, Any] | None = None) -> None:
        """Build the tree that a configuration describes and swap it in; shut the old one down.

        Args:
            config: a file, or a dict of the same form. Without one, the file that
                `EVENTTRACKING_CONFIG_FILE` names, else `[tool.eventtracking]` in `pyproject.toml`.

        Raises:
            ConfigurationError: with every problem; the tracker stays as it was.
        """
        from eventtracking_core.config import build, read  # noqa: PLC0415  costs imports
        from eventtracking_core.telemetry import follow  # noqa: PLC0415

        old = self._tree
        is_disabled = _is_true(os.environ.get("EVENTTRACKING_DISABLED", ""))
        tree = Tree(RoutingBackend()) if is_disabled else build(read(config))
        follow(tree, self._intake)
        self._tree = tree
        kept = {id(leaf.backend) for leaf in self._tree.root.leaves()}
        old.root.shutdown(old.shutdown_timeout, keep=kept)
        self._tree.root.start()

    @property
    def shutdown_timeout(self) -> float:
        """Seconds that shutting down may take, as configured."""
        return self._tree.shutdown_timeout

    def flush(self, timeout: float = SHUTDOWN_TIMEOUT) -> bool:
        """Wait, at most `timeout` seconds, for what was emitted; tell whether it is delivered."""
        return self._tree.root.flush(timeout)

    async def aflush(self, timeout: float = SHUTDOWN_TIMEOUT) -> bool:  # noqa: ASYNC109  as flush
        """Do what `flush` does, without blocking the event loop; cancelling it loses nothing."""
        from asyncio import to_thread  # noqa: PLC0415  most programs do not need it

        return await to_thread(self.flush, timeout)

    def close(self) -> None:
        """Take no more events; what waits is delivered until `shutdown`."""
        for leaf in self._tree.root.leaves():
            leaf.close()

    def forked(self) -> None:
        """Count from zero in a forked child, which begins empty."""
        self._tree.emitted_count.restart()
        self._tree.root.forked()

    def shutdown(self, timeout: float | None = None) -> bool:
        """Close the tree and release what its backends hold; tell whether that ended in time.

        Args:
            timeout: seconds, in all; the configuration's `shutdown_timeout` if not given.
        """
        tree = self._tree
        return tree.root.shutdown(tree.shutdown_timeout if timeout is None else timeout)

    def stats(self) -> dict[str, Any]:
        """Return the counters of every node since the tree was configured.

        `{"emitted", "warnings", "tree"}`; a node of the tree has `accepted`, and `dropped` by
        reason; a router its `processors` and `backends`, a backend its `delivered` and `pending`.
        """
        tree = self._tree
        emitted = tree.emitted_count.value
        return {
            "emitted": emitted,
            "warnings": self._intake.warnings(),
            "tree": {"name": "", "type": "router", **tree.root.stats(emitted)},
        }


def _is_true(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "on"}
