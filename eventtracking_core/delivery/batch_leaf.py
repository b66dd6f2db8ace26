"""What leaves have in common that deliver batches: a buffer, outcomes and dead letters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from eventtracking_core.delivery.attempt import INVALID
from eventtracking_core.delivery.buffer import Buffer
from eventtracking_core.delivery.letters import PendingLetters
from eventtracking_core.delivery.outcomes import DeliveryOutcomes
from eventtracking_core.delivery.places import base_directory, leaf_directory
from eventtracking_core.delivery.spooled_buffer import SpooledBuffer
from eventtracking_core.delivery.storage.dead_letters import DeadLetters
from eventtracking_core.routing import Leaf, LeafPlace
from eventtracking_core.routing.coroutines import speaks_asyncio

if TYPE_CHECKING:
    from eventtracking_core.components import Backend, BatchBackend
    from eventtracking_core.delivery.options import DeliveryOptions
    from eventtracking_core.events import Event

__all__ = ["BatchLeaf"]


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
        letters = PendingLetters(
            self.path, self.dead_letters, self.options.max_queue_size, self.options.max_queue_bytes
        )
        return DeliveryOutcomes(self.path, self.ledger, self.buffer, letters)

    def reject_invalid(self, error: str, event: Event) -> None:
        """Store an event as a dead letter, when it is taken to be delivered."""
        self.deliver(cast("Event", {**event, INVALID: error}))

    def abandon(self) -> None:
        """Deliver what is pending and end: no tracker refers to this leaf any more."""
        self.close()

    def forked(self) -> None:
        """Reset in a forked child: pending events are the parent's."""
        super().forked()
        self.buffer.forked()
        self.outcomes = self._new_outcomes()


def _plain(backend: Backend | BatchBackend) -> Any:
    """Return a backend whose methods can be called, also if they are coroutine functions."""
    if not speaks_asyncio(backend):
        return backend
    from eventtracking_core.delivery.event_loop import LoopBackend  # noqa: PLC0415  imports asyncio

    return LoopBackend.of(backend)
