"""What every backend keeps to, as a class of tests to inherit."""

# ruff: noqa: S101  these are tests

from __future__ import annotations

import gc
import inspect
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Final

import pytest

from eventtracking_core.components import Backend, BatchBackend
from eventtracking_core.config.convert import parameters
from eventtracking_core.errors import BatchError, RejectedError
from eventtracking_core.events import Event
from eventtracking_core.testing._bounded import in_a_child, in_threads
from eventtracking_core.testing._contents import Contents
from eventtracking_core.testing.hostile import EVENTS

__all__ = ["BackendConformance"]

DEADLINE: Final = 10.0
"""Seconds in which anything ends that ends at all."""

SHORT: Final = 0.2
GRACE: Final = 2.0
THREADS: Final = 8
EACH: Final = 25

_AnyBackend = Backend | BatchBackend
# Where it is not cut, it fills the memory: it is for a child that can be killed.
_BOUNDED: Final = [case for case in EVENTS if "explode" not in case]
_an_event: Final = EVENTS["name: none"]


class BackendConformance:
    """The checks that a backend passes: inherit it, and say how one is made.

    What the backend delivers to must be there, and take the events of all checks. Where it can be
    read, define `stored` too, and what arrives is checked as well.

    Example::

        class TestCarbon(BackendConformance):
            def make_backend(self):
                return CarbonBackend(host="127.0.0.1")
    """

    def make_backend(self) -> _AnyBackend:
        """Return a backend that was not used yet; called once or more in each check."""
        raise NotImplementedError("define make_backend: it returns the backend to check")

    def stored(self, backend: _AnyBackend, /) -> Iterable[Mapping[str, Any]] | None:  # noqa: ARG002  for those who override it
        """Return the events that have arrived, each with its `id`; None where nobody can tell."""
        return None

    def test_the_class_is_documented(self) -> None:
        """The reference and the schema say what the docstring says."""
        assert inspect.getdoc(type(self.make_backend())), "write a docstring: what is it for?"

    def test_every_option_is_annotated(self) -> None:
        """The annotations of the constructor are the schema of the options."""
        factory = type(self.make_backend())
        options, _ = parameters(factory)
        declared = inspect.signature(factory).parameters
        bare = [name for name in options if declared[name].annotation is inspect.Parameter.empty]
        assert not bare, f"annotate the options: {', '.join(bare)}"

    def test_construction_opens_nothing(self) -> None:
        """A connection is made with the first event, in the process that sends it."""
        gc.collect()
        before = _threads_and_files()
        backend = self.make_backend()
        after = _threads_and_files()
        assert after[0] <= before[0], "the constructor starts a thread: start it at the first send"
        assert after[1] <= before[1], (
            "the constructor opens a file or a socket: open it at the first send"
        )
        _asked(backend, "shutdown")

    @pytest.mark.parametrize("case", EVENTS)
    def test_takes_hostile_events(self, case: str) -> None:
        """Whatever is in an event, it is delivered or rejected, and left as it was."""
        failure = in_a_child(partial(self._send_hostile, case), DEADLINE)
        assert not failure, failure

    def test_delivers_each_accepted_event_once(self) -> None:
        """What was not rejected arrives; one bad event does not take others along."""
        events = [EVENTS[case]() for case in _BOUNDED]
        with self._running() as backend:
            self._check_stored(backend, _batch(backend, events))

    def test_takes_an_event_that_another_thread_changes(self) -> None:
        """The caller may go on using what it emitted."""
        event = _an_event()
        done = threading.Event()
        with self._running() as backend, _switching_often():
            works = [partial(_send_until, backend, event, done), partial(_change, event, done)]
            try:
                in_threads(works, DEADLINE)
            finally:
                done.set()

    def test_takes_events_from_many_threads(self) -> None:
        """Any thread may send, at any time."""
        events = [[_an_event() for _ in range(EACH)] for _ in range(THREADS)]
        with self._running() as backend:
            in_threads([partial(_send_all, backend, part) for part in events], DEADLINE)
            self._check_stored(backend, [event for part in events for event in part])

    def test_works_in_a_forked_child(self) -> None:
        """The child has connections of its own, and leaves its parent's alone."""
        events = [_an_event() for _ in range(3)]
        with self._running() as backend:
            _send(backend, events[0])
            failure = in_a_child(partial(_use_up, backend, events[1]), DEADLINE)
            assert not failure, failure
            _send(backend, events[2])
            self._check_stored(backend, [events[0], events[2]])

    def test_shuts_down_twice(self) -> None:
        """The second time there is nothing to do."""
        with self._running() as backend:
            _send(backend, _an_event())
            _asked(backend, "shutdown")

    def test_sending_after_shutdown_ends(self) -> None:
        """An event that comes late is delivered or refused, and never waits."""
        with self._running() as backend:
            _send(backend, _an_event())
            _asked(backend, "shutdown")
            in_threads([partial(_try_to_send, backend, _an_event())], DEADLINE)

    @pytest.mark.parametrize("method", ["flush", "shutdown"])
    @pytest.mark.parametrize("timeout", [0.0, SHORT])
    def test_keeps_deadlines(self, method: str, timeout: float) -> None:
        """Waiting ends in time, and says whether all was done."""
        with self._running() as backend:
            for event in (None, _an_event()):
                if event is not None:
                    _send(backend, event)
                before = monotonic()
                _asked(backend, method, timeout)
                took = monotonic() - before
                assert took < timeout + GRACE, f"{method}({timeout}) took {took:.1f} seconds"

    @contextmanager
    def _running(self) -> Iterator[_AnyBackend]:
        backend = self.make_backend()
        try:
            yield backend
        finally:
            _asked(backend, "shutdown")

    def _send_hostile(self, case: str) -> None:
        event = EVENTS[case]()
        contents = Contents(event)
        with self._running() as backend:
            _send(backend, event)
            unchanged = contents.is_unchanged()
        assert unchanged, "the backend changed the event: let it work on a copy"

    def _check_stored(self, backend: _AnyBackend, accepted: Sequence[Event]) -> None:
        _asked(backend, "flush")
        stored = self.stored(backend)
        if stored is None:
            return
        times = Counter(event["id"] for event in stored)
        lost = sum(times[event["id"]] == 0 for event in accepted)
        repeated = sum(times[event["id"]] > 1 for event in accepted)
        assert not lost, f"{lost} of {len(accepted)} accepted events did not arrive"
        assert not repeated, f"{repeated} of {len(accepted)} events arrived more than once"


def _send(backend: Any, event: Event) -> bool:
    """Send one event; tell whether it was accepted, and not rejected."""
    if not callable(getattr(backend, "send", None)):
        return bool(_batch(backend, [event]))
    try:
        backend.send(event)
    except RejectedError:
        return False
    return True


def _batch(backend: Any, events: Sequence[Event]) -> list[Event]:
    """Send events, together where that is possible; return those that were accepted."""
    if not callable(getattr(backend, "send_batch", None)):
        return [event for event in events if _send(backend, event)]
    try:
        backend.send_batch(events, timeout=DEADLINE)
    except BatchError as error:
        for failure in error.failures.values():
            if not isinstance(failure, RejectedError):
                raise failure from error
        return [event for index, event in enumerate(events) if index not in error.failures]
    except RejectedError:
        return []
    return list(events)


def _send_all(backend: _AnyBackend, events: Iterable[Event]) -> None:
    for event in events:
        _send(backend, event)


def _try_to_send(backend: _AnyBackend, event: Event) -> None:
    with suppress(Exception):  # any answer will do, if there is one
        _send(backend, event)


def _use_up(backend: _AnyBackend, event: Event) -> None:
    _send(backend, event)
    _asked(backend, "flush")
    _asked(backend, "shutdown")


def _asked(backend: object, method: str, timeout: float = DEADLINE) -> None:
    """Call an optional method, which must end and say whether all was done."""
    ask = getattr(backend, method, None)
    if not callable(ask):
        return
    (done,) = in_threads([partial(ask, timeout)], timeout + DEADLINE)
    assert isinstance(done, bool), f"{method} must return True or False"


def _threads_and_files() -> tuple[int, int]:
    return threading.active_count(), len(list(Path("/dev/fd").iterdir()))


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
        _send_all(backend, [event] * THREADS * EACH)
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
