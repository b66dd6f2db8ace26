"""Routers compiled into plain functions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NoReturn

from eventtracking_core.diagnostics import describe, report
from eventtracking_core.encoding import snapshot
from eventtracking_core.errors import ClosedError, EventEmissionExit
from eventtracking_core.nesting import TooDeepError, nested
from eventtracking_core.routing.ledger import AtomicCounter, Ledger
from eventtracking_core.routing.processor_node import process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventtracking_core.events import Event
    from eventtracking_core.routing.processor_node import ProcessorNode

__all__ = ["Send", "chain", "fan_out"]

Send = Callable[["Event"], object]


def chain(
    steps: Sequence[ProcessorNode], ledger: Ledger, targets: tuple[Send, ...], *, copies: bool
) -> Send:
    """Return a function that runs the processors on an event, then sends it to the targets.

    Args:
        steps: the processors, in their order.
        ledger: counts what the processors drop.
        targets: called with each event that passes.
        copies: whether the processors work on a copy of the event.
    """
    steps = tuple(steps)
    accepted = ledger.accepted.tick
    send = targets[0] if len(targets) == 1 else fan_out(targets)

    def run(event: Event) -> Event:
        return process(steps, snapshot(event) if copies else event)

    def route(event: Event) -> None:
        try:
            next(accepted)
            if ledger.is_busy:
                event = nested(run, event)
            else:
                ledger.is_busy = True
                try:
                    event = process(steps, snapshot(event) if copies else event)
                finally:
                    ledger.is_busy = False
        except BaseException as error:  # noqa: BLE001  an interrupt is raised again
            dropped = ledger.interrupted
            try:  # another interrupt may come at any call: the last one counts the event
                dropped = _dropped(ledger, error)
            finally:
                next(dropped.tick)
            return
        send(event)

    return route


def _dropped(ledger: Ledger, error: BaseException) -> AtomicCounter:
    """Return the counter of an event that a router drops.

    Raises:
        BaseException: the router was interrupted.
    """
    if not isinstance(error, EventEmissionExit):
        raise error
    if isinstance(error, TooDeepError):
        key = ("recursion", id(ledger))
        report(logging.ERROR, key, "a router drops an event: %s", describe(error))
    return ledger.counter(error.drop_reason)


def fan_out(targets: tuple[Send, ...]) -> Send:
    """Return a function that sends an event to each of the targets, even if one raises."""

    def send_to_all(event: Event) -> None:
        rest = iter(targets)
        try:
            for send in rest:
                send(event)
        except BaseException as error:  # noqa: BLE001  it is raised after the last target
            _finish(rest, event, error)

    return send_to_all


def _finish(rest: Iterator[Send], event: Event, error: BaseException) -> NoReturn:
    """Send an event to the targets after one that raised an error; then raise it.

    The error is an interrupt, or says that the target is closed. Of several, an interrupt counts.
    """
    for send in rest:
        try:
            send(event)
        except ClosedError:
            continue
        except BaseException as another:  # noqa: BLE001  as above
            error = another
    raise error
