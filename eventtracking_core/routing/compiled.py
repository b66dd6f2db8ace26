"""Routers compiled into plain functions."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, TypeVar

from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.encoding import snapshot
from eventtracking_core.errors import ClosedError, EventEmissionExit
from eventtracking_core.routing.ledger import Ledger
from eventtracking_core.routing.nesting import TooDeepError, nested
from eventtracking_core.routing.parts import Split
from eventtracking_core.routing.processor_node import process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eventtracking_core.events import Event
    from eventtracking_core.routing.processor_node import ProcessorNode

__all__ = ["Send", "Watcher", "chain", "fan_out", "passes_wire", "takes_wire"]

Send = Callable[["Event"], object]

_TAKES_WIRE: Final = "takes_wire"
_is_built_in: Final = attrgetter("is_built_in")
_Taker = TypeVar("_Taker", bound=Callable[..., object])


class Watcher(Protocol):
    """An object that a router is compiled into."""

    def changed(self) -> None:
        """Compile the router again."""

    def wait_for_emitters(self, timeout: float) -> bool:
        """Wait until no other thread sends an event through what was compiled before."""


def takes_wire(send: _Taker) -> _Taker:
    """Mark a function that takes an event and its encoded bytes, or None, and returns the bytes.

    So leaves that store the same event have it encoded once: each passes the bytes on to the next.
    """
    vars(send)[_TAKES_WIRE] = True
    return send


def _takes_wire(send: Send) -> bool:
    return getattr(send, _TAKES_WIRE, False) is True


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
    send: Callable[..., Any] = targets[0] if len(targets) == 1 else fan_out(targets)
    # Another processor may change an event although it says that it does not.
    encodes = _takes_wire(send) and all(map(_is_built_in, steps))

    def run(event: Event) -> Event:
        return process(steps, snapshot(event) if copies else event)

    def route(event: Event, wire: bytes | None = None) -> bytes | None:
        original = event
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
            outcome: Iterator[object] = ledger.interrupted.tick
            try:  # another interrupt may come at any call: the last one counts the event
                outcome = _outcome(ledger, error)
            finally:
                next(outcome)
            if isinstance(error, Split):
                _call_each(partial(send, part) for part in error.parts)
            return wire
        if encodes and event is original:
            wire = send(event, wire)
        else:  # the bytes are those of another event
            send(event)
        return wire

    return takes_wire(route) if encodes else route


def _outcome(ledger: Ledger, error: BaseException) -> Iterator[object]:
    """Return an iterator whose next step counts an event that a router drops or splits.

    Raises:
        BaseException: the router was interrupted.
    """
    if isinstance(error, Split):
        added = len(error.parts) + len(error.dropped) - 1
        ticks = [ledger.added.tick] * added
        ticks += [ledger.counter(reason).tick for reason in error.dropped]
        # All of them in one step of C, so that no interrupt comes in between.
        return map(partial(deque, maxlen=0), [map(next, ticks)])
    if not isinstance(error, EventEmissionExit):
        raise error
    if isinstance(error, TooDeepError):
        report(ERROR, ("recursion", ledger), "a router drops an event: %s", error)
    return ledger.counter(error.drop_reason).tick


def fan_out(targets: tuple[Send, ...]) -> Send:
    """Return a function that sends an event to each of the targets, even if one raises."""
    if any(map(_takes_wire, targets)):
        return _fan_out_encoded(tuple(map(passes_wire, targets)))

    def send_to_all(event: Event) -> None:
        rest = iter(targets)
        try:
            for send in rest:
                send(event)
        except BaseException as error:  # noqa: BLE001  it is raised after the last target
            _finish((partial(send, event) for send in rest), error)

    return send_to_all


def _fan_out_encoded(targets: tuple[Callable[..., Any], ...]) -> Send:
    """Return what `fan_out` does, for targets that pass on the event's bytes."""

    def send_to_all(event: Event, wire: bytes | None = None) -> bytes | None:
        rest = iter(targets)
        try:
            for send in rest:
                wire = send(event, wire)
        except BaseException as error:  # noqa: BLE001  it is raised after the last target
            _finish((partial(send, event) for send in rest), error)
        return wire

    return takes_wire(send_to_all)


def passes_wire(send: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes an event with its bytes, also if the target does not."""

    def send_and_pass(event: Event, wire: bytes | None = None) -> bytes | None:
        send(event)
        return wire

    return send if _takes_wire(send) else send_and_pass


def _call_each(calls: Iterable[Callable[[], object]]) -> None:
    rest = iter(calls)
    try:
        for call in rest:
            call()
    except BaseException as error:  # noqa: BLE001  it is raised after the last call
        _finish(rest, error)


def _finish(rest: Iterable[Callable[[], object]], error: BaseException) -> NoReturn:
    """Send what is left to send after a target raised an error; then raise it.

    The error is an interrupt, or says that the target is closed. Of several, an interrupt counts.
    """
    for call in rest:
        try:
            call()
        except ClosedError:
            continue
        except BaseException as another:  # noqa: BLE001  as above
            error = another
    raise error
