"""The methods of a backend, looked up once, and how they are called."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Final

from eventtracking_core.diagnostics import ERROR, describe, report
from eventtracking_core.errors import BatchError
from eventtracking_core.interrupts import pass_on
from eventtracking_core.routing.coroutines import returns_coroutine

if TYPE_CHECKING:
    from eventtracking_core.events import Event
    from eventtracking_core.registry import EventType

__all__ = ["BackendCapabilities", "asked", "event_sender"]

INLINE_TIMEOUT: Final = 5.0
"""Timeout, in seconds, when an inline event goes through a backend with only `send_batch`."""


class BackendCapabilities:
    """The methods that a backend has; None stands for those that it lacks.

    They are described by the protocols in `eventtracking_core.components`, and `save_event_type` by
    `eventtracking_core.registry.MetadataStore`.

    Args:
        backend: any backend.
    """

    send: Callable[[Event], object] | None
    send_batch: Callable[..., object] | None
    flush: Callable[[float], object] | None
    shutdown: Callable[[float], object] | None
    warm_up: Callable[[], object] | None
    read_wire: Callable[[bytes], Event] | None
    save_event_type: Callable[[EventType], object] | None

    takes_json: bool
    """Whether it takes batches in JSON."""

    def __init__(self, backend: object) -> None:
        for name in self.__annotations__.keys() - {"takes_json"}:
            method = getattr(backend, name, None)
            setattr(self, name, method if callable(method) else None)
        self.takes_json = (
            self.send_batch is not None and getattr(backend, "takes_json", False) is True
        )


def event_sender(name: str, backend: BackendCapabilities) -> Callable[[Event], object]:
    """Return what sends one event to a backend, in the emitting thread.

    Raises:
        ValueError: the backend has no method for it, or only an asynchronous one.
    """
    send, send_batch = backend.send, backend.send_batch
    for method in (send, send_batch):
        if method is not None and returns_coroutine(method):
            raise ValueError(
                f"backend {name!r} is `async def`: configure it with the delivery queue or spool,"
                " since inline nothing would await it"
            )
    if send is not None:
        return send
    if send_batch is None:
        raise ValueError(f"backend {name!r} has no callable send")

    def send_alone(event: Event) -> object:
        try:
            return send_batch([event], timeout=INLINE_TIMEOUT)
        except BatchError as error:
            if 0 in error.failures:
                raise error.failures[0] from error
            return None

    return send_alone


def asked(ask: Callable[[float], object] | None, method: str, timeout: float) -> bool:
    """Call an optional method of a backend; an exception counts as not done."""
    if ask is None:
        return True
    deadline = monotonic() + timeout
    try:
        done = ask(timeout)
    except BaseException as error:  # noqa: BLE001  it must not keep the others from closing
        pass_on(error)
        key = (method, type(getattr(ask, "__self__", ask)))
        report(ERROR, key, "%s failed: %s", method, describe(error))
        return False
    return done is not False and monotonic() <= deadline
