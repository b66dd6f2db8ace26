"""What a router is compiled to: plain functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from eventtracking_core.encoding import snapshot
from eventtracking_core.errors import EventEmissionExit
from eventtracking_core.routing.step import FailedClosedError, process

if TYPE_CHECKING:
    from eventtracking_core.events import Event
    from eventtracking_core.routing.router import RoutingBackend

__all__ = ["Send", "chain", "fan_out"]

Send = Callable[["Event"], object]


def chain(router: RoutingBackend, targets: tuple[Send, ...]) -> Send:
    """Return a function that takes an event through a router's processors, then to the targets."""
    steps = tuple(router.steps)
    copies = router.copies
    accepted, drop = router.ledger.accepted.tick, router.ledger.drop

    def route(event: Event) -> None:
        next(accepted)
        try:
            event = process(steps, snapshot(event) if copies else event)
        except FailedClosedError:
            drop("processor_error")
            return
        except EventEmissionExit as stopped:
            drop(stopped.drop_reason)
            return
        except BaseException:
            drop("interrupted")
            raise
        for send in targets:
            send(event)

    return route


def fan_out(targets: tuple[Send, ...]) -> Send:
    """Return a function that sends an event to each of the targets."""

    def send_to_all(event: Event) -> None:
        for send in targets:
            send(event)

    return send_to_all
