"""Giving events to a backend as the core does, and telling what became of them."""

# ruff: noqa: S101  part of tests

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from eventtracking_core.delivery.event_loop import LoopBackend
from eventtracking_core.encoding import JsonBatch, encode_text, normalize_event
from eventtracking_core.errors import BatchError, RejectedError
from eventtracking_core.events import Event
from eventtracking_core.routing.capabilities import BackendCapabilities, speaks_asyncio

__all__ = [
    "ATTEMPT",
    "as_made",
    "callable_now",
    "queued",
    "send",
    "send_all",
    "send_batch",
    "try_to_send",
]

ATTEMPT: Final = 60.0
"""Seconds that a batch may take, unless it is said."""


def callable_now(component: Any) -> Any:
    """Return a component whose methods are plain ones, also if they are coroutine functions."""
    return LoopBackend.of(component) if speaks_asyncio(component) else component


def as_made(backend: Any) -> Any:
    """Return the backend of what `callable_now` returned."""
    return backend.awaited if isinstance(backend, LoopBackend) else backend


def queued(backend: Any, events: Sequence[Event]) -> Sequence[Event]:
    """Return a batch as a worker hands it to a backend."""
    if BackendCapabilities(backend).takes_json:
        return JsonBatch(list(map(encode_text, events)))
    return list(map(normalize_event, events))


def send(backend: Any, event: Event) -> bool:
    """Send one event; return whether it was accepted, and not rejected."""
    if not callable(getattr(backend, "send", None)):
        return bool(send_batch(backend, [event]))
    try:
        backend.send(event)
    except RejectedError:
        return False
    return True


def send_all(backend: Any, events: Iterable[Event]) -> None:
    """Send events, one at a time."""
    for event in events:
        send(backend, event)


def send_batch(backend: Any, events: Sequence[Event], timeout: float = ATTEMPT) -> list[Event]:
    """Send events, together where that is possible; return those that were accepted."""
    if not callable(getattr(backend, "send_batch", None)):
        return [event for event in events if send(backend, event)]
    failures: Mapping[int, Exception] = {}
    try:
        backend.send_batch(events, timeout=timeout)
    except BatchError as error:
        failures = error.failures
    except RejectedError:
        return []
    assert all(index in range(len(events)) for index in failures), (
        "the failures of a BatchError go by the index in the batch"
    )
    for failure in failures.values():
        if not isinstance(failure, RejectedError):
            raise failure
    return [event for index, event in enumerate(events) if index not in failures]


def try_to_send(backend: Any, event: Event) -> None:
    """Send one event; any answer will do, if there is one."""
    with suppress(Exception):
        send(backend, event)
