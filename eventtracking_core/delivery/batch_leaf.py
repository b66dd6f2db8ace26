"""A leaf that delivers batches: its directory, its buffer, outcomes and dead letters."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote

from eventtracking_core.delivery.buffer import Buffer
from eventtracking_core.delivery.outcomes import DeliveryOutcomes
from eventtracking_core.delivery.queued import INVALID
from eventtracking_core.delivery.spooled_buffer import SpooledBuffer
from eventtracking_core.delivery.storage.dead_letters import DeadLetters
from eventtracking_core.delivery.storage.directory import directory_name
from eventtracking_core.lifecycle.holders import living
from eventtracking_core.routing import Leaf, LeafPlace
from eventtracking_core.routing.capabilities import speaks_asyncio

if TYPE_CHECKING:
    from eventtracking_core.components import Backend, BatchBackend
    from eventtracking_core.delivery.options import DeliveryOptions
    from eventtracking_core.events import Event

__all__ = ["DEFAULT_TRACKER", "BatchLeaf", "base_directory", "leaf_directory", "marked_invalid"]

SPOOL_DIRECTORY: Final = "EVENTTRACKING_SPOOL_DIRECTORY"
DEFAULT_DIRECTORY: Final = "eventtracking-spool"
DEFAULT_TRACKER: Final = "default"


class BatchLeaf(Leaf):
    """A leaf whose events are delivered in batches, and become dead letters if they are rejected.

    Args:
        backend: where events go.
        place: where the leaf stands.
        options: how to store and deliver events.
    """

    def __init__(
        self, backend: Backend | BatchBackend, place: LeafPlace, options: DeliveryOptions
    ) -> None:
        super().__init__(place.name, _plain(backend), type_name=place.type_name, registered=backend)
        self.mode = options.mode
        self.options = options
        self.path = path = place.path
        self.owner = place.owner
        base = base_directory(options.directory)
        self.directory = leaf_directory(base, path or self.name, place.tracker, place.owner)
        self.buffer = (
            SpooledBuffer(path, options, self.directory, base, partial(self.ledger.drop, "damaged"))
            if "spool" in {options.mode, options.when_full}
            else Buffer(options)
        )
        self.dead_letters = DeadLetters(
            self.directory / "dead", options.max_dead_letter_bytes, base=base
        )
        self.closed = False
        self.outcomes = self._new_outcomes()

    def _new_outcomes(self) -> DeliveryOutcomes:
        return DeliveryOutcomes(
            self.path, self.ledger, self.buffer, self.dead_letters, self.options
        )

    def reject_invalid(self, error: str, event: Event) -> None:
        """Store an event as a dead letter, when it is taken to be delivered."""
        self.deliver(marked_invalid(event, error))

    def abandon(self) -> None:
        """Deliver what is pending and end: no tracker refers to this leaf any more."""
        self.close()

    def forked(self) -> None:
        """Reset in a forked child: pending events are the parent's."""
        super().forked()
        self.buffer.forked()
        self.outcomes = self._new_outcomes()


def marked_invalid(event: Event, error: str) -> Event:
    """Return an event that is to be a dead letter for an error."""
    return cast("Event", {**event, INVALID: error})


def _plain(backend: Backend | BatchBackend) -> Any:
    """Return a backend whose methods can be called, also if they are coroutine functions."""
    if not speaks_asyncio(backend):
        return backend
    from eventtracking_core.delivery.event_loop import LoopBackend  # noqa: PLC0415  imports asyncio

    return LoopBackend.of(backend)


def base_directory(configured: str | None) -> Path:
    """Return the directory that holds those of all leaves."""
    return Path(configured or os.environ.get(SPOOL_DIRECTORY) or DEFAULT_DIRECTORY).absolute()


def leaf_directory(base: Path, path: str, tracker: str | None, owner: object) -> Path:
    """Return the directory of a leaf, which no leaf of another tracker has.

    Two trackers of a process may have a leaf of the same path, with different backends. The name of
    a tracker is the same in the next process, which delivers what this one leaves; a tracker
    without a name has the first place that no other one uses.

    Args:
        base: holds the directories of all leaves.
        path: the leaf's path in its tree.
        tracker: the name of its tracker.
        owner: its tracker, or a proxy of it.
    """
    if tracker == DEFAULT_TRACKER:
        return base / directory_name(path)
    if tracker is not None:
        name = quote(tracker, safe=" ", errors="surrogatepass")
        return base / directory_name(f"{path}@{name}")
    used = {
        leaf.directory
        for leaf in living()
        if isinstance(leaf, BatchLeaf) and not leaf.closed and leaf.owner is not owner
    }
    directory, number = base / directory_name(path), 1
    while directory in used:
        number += 1
        directory = base / directory_name(f"{path}@@{number}")
    return directory
