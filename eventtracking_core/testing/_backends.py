"""The contract of backends, as a class of tests to inherit."""

# ruff: noqa: S101  these are tests

from __future__ import annotations

import sys
import threading
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any, Final

import pytest

from eventtracking_core.components import Backend, BatchBackend
from eventtracking_core.errors import BatchError, RejectedError
from eventtracking_core.events import Event
from eventtracking_core.testing._bounded import in_a_child, in_threads
from eventtracking_core.testing._component import BOUNDED, EACH, THREADS, ComponentConformance
from eventtracking_core.testing._contents import Contents
from eventtracking_core.testing._sending import (
    as_made,
    callable_now,
    queued,
    send,
    send_all,
    send_batch,
    try_to_send,
)
from eventtracking_core.testing.hostile import EVENTS

__all__ = ["SHORT", "BackendConformance", "attempt"]

SHORT: Final = 0.2
"""Seconds."""

PAYLOAD: Final = "a payload that no message may hold"

_AnyBackend = Backend | BatchBackend
_an_event: Final = EVENTS["name: none"]


class BackendConformance(ComponentConformance):
    """The checks that a backend passes: inherit it, and say how one is made.

    What the backend delivers to must be there, and take the events of all checks::

        class TestCarbon(BackendConformance):
            def make_backend(self):
                return CarbonBackend(host="127.0.0.1")

    A backend that speaks asyncio is called as its worker thread calls it: its coroutines run on one
    event loop, each within its timeout.

    Where what arrived can be read, define `stored` too; where the sink can be away,
    `make_unreachable`: then losses and failures are checked as well.
    """

    @abstractmethod
    def make_backend(self) -> _AnyBackend:
        """Return a backend that was not used yet; called once or more in each check."""

    def stored(self, backend: _AnyBackend, /) -> Iterable[Mapping[str, Any]] | None:  # noqa: ARG002  for those who override it
        """Return the events that have arrived, each with its `id`; None if unknown."""
        return None

    def make_unreachable(self) -> _AnyBackend | None:
        """Return a backend whose sink is away; None where that cannot be."""
        return None

    def _make(self) -> _AnyBackend:
        return self.make_backend()

    def test_takes_hostile_events(self) -> None:
        """Whatever is in an event, it is delivered or rejected, and never changed."""
        self._check_each_hostile_event(self._send_hostile)

    def test_delivers_each_accepted_event_once(self) -> None:
        """What was not rejected arrives; one bad event does not take others along."""
        events = [EVENTS[case]() for case in BOUNDED]
        with self._running() as backend:
            self._check_stored(backend, send_batch(backend, events))

    def test_what_a_worker_hands_over_arrives_as_the_events_do(self) -> None:
        """Of a batch that waited, in JSON if the backend takes that, the same is stored."""
        hostile = [EVENTS[case]() for case in BOUNDED]
        one, other = _an_event(), _an_event()
        with self._running() as backend:
            send_batch(backend, [one])
            send_batch(backend, queued(backend, [other]))
            accepted = send_batch(backend, queued(backend, hostile))
            self._check_stored(backend, [one, other, *accepted])
            stored = {
                event["id"]: _contents(event) for event in self.stored(as_made(backend)) or ()
            }
            assert stored.get(one["id"]) == stored.get(other["id"]), "what arrived differs"

    def test_takes_an_event_that_another_thread_changes(self) -> None:
        """The caller may go on using what it emitted."""
        event = _an_event()
        done = threading.Event()
        with self._running() as backend, _switching_often():
            works = [partial(_send_until, backend, event, done), partial(_change, event, done)]
            try:
                in_threads(works, self.deadline)
            finally:
                done.set()

    def test_takes_events_from_many_threads(self) -> None:
        """Any thread may send, at any time."""
        events = [[_an_event() for _ in range(EACH)] for _ in range(THREADS)]
        with self._running() as backend:
            in_threads([partial(send_all, backend, part) for part in events], self.deadline)
            self._check_stored(backend, [event for part in events for event in part])

    def test_works_in_a_forked_child(self) -> None:
        """The child has connections of its own, and leaves its parent's alone."""
        events = [_an_event() for _ in range(3)]
        with self._running() as backend:
            send(backend, events[0])
            failure = in_a_child(partial(self._use_up, backend, events[1]), self.deadline)
            assert not failure, failure
            send(backend, events[2])
            self._check_stored(backend, [events[0], events[2]])

    def test_shuts_down_twice(self) -> None:
        """The second time there is nothing to do."""
        with self._running() as backend:
            send(backend, _an_event())
            self._ask(backend, "shutdown")

    def test_sending_after_shutdown_ends(self) -> None:
        """An event that comes late is delivered or refused, and never waits."""
        with self._running() as backend:
            send(backend, _an_event())
            self._ask(backend, "shutdown")
            in_threads([partial(try_to_send, backend, _an_event())], self.deadline)

    @pytest.mark.parametrize("method", ["flush", "shutdown"])
    @pytest.mark.parametrize("timeout", [0.0, SHORT])
    def test_keeps_deadlines(self, method: str, timeout: float) -> None:
        """Waiting ends in time, and says whether all was done."""
        with self._running() as backend:
            for event in (None, _an_event()):
                if event is not None:
                    send(backend, event)
                before = monotonic()
                self._ask(backend, method, timeout)
                took = monotonic() - before
                assert took < timeout + self.grace, f"{method}({timeout}) took {took:.1f} seconds"

    def test_what_cannot_be_reached_is_tried_again(self) -> None:
        """An event is rejected for what it is, and never because the sink is away."""
        for failure in self._failures():
            assert not isinstance(failure, RejectedError), (
                "a sink that is away rejects nothing: raise RetryableError"
            )

    def test_no_failure_tells_the_payload(self) -> None:
        """Messages go to logs and dead letters, where payloads have no business."""
        for failure in self._failures():
            assert PAYLOAD not in str(failure), "leave what is in the event out of the message"

    def test_an_attempt_ends_in_its_time(self) -> None:
        """A batch that cannot be delivered fails within its `timeout`."""
        backend = callable_now(self.make_unreachable())
        if backend is None or not callable(getattr(backend, "send_batch", None)):
            return
        before = monotonic()
        in_threads([partial(attempt, backend, SHORT)], SHORT + self.grace + self.deadline)
        took = monotonic() - before
        assert took < SHORT + self.grace, f"send_batch(…, timeout={SHORT}) took {took:.1f} seconds"
        self._ask(backend, "shutdown", SHORT)

    def _failures(self) -> Iterator[Exception]:
        """Yield what is raised for an event where the sink is away."""
        backend = callable_now(self.make_unreachable())
        if backend is None:
            return
        (failures,) = in_threads([partial(attempt, backend, SHORT)], SHORT + self.deadline)
        self._ask(backend, "shutdown", SHORT)
        assert failures, "make_unreachable: the backend delivers all the same"
        yield from failures

    @contextmanager
    def _running(self) -> Iterator[_AnyBackend]:
        backend = callable_now(self.make_backend())
        try:
            yield backend
        finally:
            self._ask(backend, "shutdown")

    def _send_hostile(self, case: str) -> None:
        event = EVENTS[case]()
        with self._running() as backend:
            batch = queued(backend, [event])
            contents = Contents([event, batch, *batch, getattr(batch, "texts", None)])
            for deliver in partial(send, backend, event), partial(send_batch, backend, batch):
                deliver()
                unchanged = contents.is_unchanged()
                assert unchanged, "the backend changed the event: let it work on a copy"

    def _use_up(self, backend: _AnyBackend, event: Event) -> None:
        send(backend, event)
        self._ask(backend, "flush")
        self._ask(backend, "shutdown")

    def _check_stored(self, backend: _AnyBackend, accepted: Sequence[Event]) -> None:
        self._ask(backend, "flush")
        stored = self.stored(as_made(backend))
        if stored is None:
            return
        times = Counter(event["id"] for event in stored)
        lost = sum(times[event["id"]] == 0 for event in accepted)
        repeated = sum(times[event["id"]] > 1 for event in accepted)
        assert not lost, f"{lost} of {len(accepted)} accepted events did not arrive"
        assert not repeated, f"{repeated} of {len(accepted)} events arrived more than once"


def _contents(event: Mapping[str, Any]) -> list[Any]:
    return [event.get(part) for part in ("name", "context", "data")]


def attempt(backend: Any, timeout: float) -> list[Exception]:
    """Return what is raised for one event: nothing, where it is delivered."""
    event = _an_event()
    event["data"] = {"text": PAYLOAD}
    try:
        if callable(getattr(backend, "send_batch", None)):
            backend.send_batch([event], timeout=timeout)
        else:
            backend.send(event)
    except BatchError as error:
        return [error, *error.failures.values()]
    except Exception as error:  # noqa: BLE001  whatever a backend raises
        return [error]
    return []


@contextmanager
def _switching_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def _send_until(backend: _AnyBackend, event: Event, done: threading.Event) -> None:
    try:
        send_all(backend, [event] * THREADS * EACH)
    finally:
        done.set()


def _change(event: Event, done: threading.Event) -> None:
    data = event["data"]
    fields = [f"field {number}" for number in range(50)]
    while not done.is_set():
        for field in fields:
            data[field] = [field]
        for field in fields:
            del data[field]
