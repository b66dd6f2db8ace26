"""The contract of backends whose events can be read, as a class of tests to inherit."""

# ruff: noqa: S101  these are tests

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, Final, cast

import pytest

from eventtracking_core.components import Backend, BatchBackend
from eventtracking_core.encoding import decode_json, encode_json
from eventtracking_core.errors import RejectedError
from eventtracking_core.events import Event, new_id
from eventtracking_core.reading import EventReader
from eventtracking_core.testing._backends import SHORT, BackendConformance, attempt
from eventtracking_core.testing._bounded import in_a_child, in_threads
from eventtracking_core.testing._readers import MONDAY, EventReaderConformance
from eventtracking_core.testing._sending import as_made, callable_now, send_batch
from eventtracking_core.tracker.tracker import Tracker

__all__ = ["EventStoreConformance"]

MANY: Final = 3000
ENOUGH: Final = 100
"""Events that are delivered before each fault, and emitted during it."""

_DELIVERY: Final = {
    "mode": "queue",
    "initial_interval": 0.05,
    "max_interval": 0.2,
    "max_batch_size": 200,
    "schedule_delay": 0.05,
}
_TEXTS: Final = ["it's", "\\", "a\nb", "{x:String}", "%s", "[a]*?", "ß", "🎓", ""]
_NUMBERS: Final = [2**53 + 1, 2**63 - 1, -(2**63), 0.1, 1e20, -0.5]


class EventStoreConformance(BackendConformance, EventReaderConformance):
    """The checks that a backend with readable events passes: inherit it, and say how one is made.

    The checks are those of `BackendConformance` and `EventReaderConformance`, and further ones.
    Each check needs a store without events, which is the same for all backends of the check::

        class TestLedger(EventStoreConformance):
            @pytest.fixture(autouse=True)
            def file(self, tmp_path):
                self.path = tmp_path / "events.db"

            def make_backend(self):
                return LedgerBackend(self.path)

    Where a server stores the events, define `make_backend_at`, and `faults` if it can be made to
    fail: then losses and repetitions are checked under load.
    """

    secret: ClassVar[str] = "a-password"  # noqa: S105  of no account
    """A password that no message of a failure may contain."""

    def make_backend_at(self, port: int) -> Backend | BatchBackend | None:  # noqa: ARG002  for those who override it
        """Return a backend whose server listens on a port of this machine; None without a server.

        Give it `secret` for a password.
        """
        return None

    def refuse(self) -> bool:
        """Let the store, which has an event already, refuse those with 37 as `n` in their data.

        Returns:
            Whether it does; False where no store can be made to.
        """
        return False

    def faults(self) -> Iterable[AbstractContextManager[object]]:
        """Return faults of the sink: what happens in each `with` block, and is mended at its end.

        For example, a block kills the server and starts it again. Backends of `make_backend` are in
        use meanwhile.
        """
        return ()

    def stored(self, backend: Backend | BatchBackend, /) -> list[Event]:
        """Return the events that have arrived."""
        return list(cast("EventReader", backend).query())

    def make_reader(self, events: Sequence[Event]) -> EventReader:
        """Return a backend, after another one has stored events."""
        if events:
            with self._running() as backend:
                send_batch(backend, events)
        return cast("EventReader", self.make_backend())

    def test_stores_an_event_once_however_often_it_is_sent(self) -> None:
        """A batch that was stored without an answer is sent again, maybe with other events."""
        events = [_an_event(n=n) for n in range(600)]
        with self._running() as backend:
            for batch in (events[:300], events[:300], events, [*events[:10], events[-1]]):
                send_batch(backend, batch)
            self._check_stored(backend, events)
            assert self._reader(backend).count() == len(events), "an event was stored twice"

    def test_returns_events_as_they_are_encoded(self) -> None:
        """Names and texts of any length, and nested values, come back as their JSON says."""
        texts = [letter * length for length in (1, 63, 64, 127, 128, 9000) for letter in ("n", "é")]
        events = [_an_event(text, text=text) for text in texts]
        events.append(_an_event(texts=texts, nested={"a": [{"b": None}, True, -1, 0.5, {}]}))
        with self._running() as backend:
            send_batch(backend, events)
            stored = {event["id"]: event for event in self._reader(backend).query()}
        for event in events:
            assert stored[event["id"]] == decode_json(encode_json(event)), "an event was changed"

    def test_yields_what_was_stored_after_an_event(self) -> None:
        """A caller who asks again with the last id misses nothing."""
        events = [_an_event(n=n) for n in range(5)]
        with self._running() as backend:
            send_batch(backend, events[:3])
            send_batch(backend, events[3:])
            reader = self._reader(backend)
            assert list(reader.query(after=events[1]["id"])) == events[2:]
            assert list(reader.query(after="")) == events
            assert list(reader.query(after=events[4]["id"])) == []

    def test_many_events_are_read_in_pieces(self) -> None:
        """A caller who stops reading early can go on using the store."""
        events = [_an_event(n=n, text="x" * 500) for n in range(MANY)]
        with self._running() as backend:
            send_batch(backend, events)
            reader = self._reader(backend)
            assert next(reader.query()) == events[0]
            assert [event["id"] for event in reader.query()] == [event["id"] for event in events]
            assert reader.count_by("name") == [(events[0]["name"], MANY)]

    def test_forked_children_have_connections_of_their_own(self) -> None:
        """A child and its parent send in turns, and the child closes what it has opened."""
        events = [_an_event(n=n) for n in range(11)]
        with self._running() as backend:
            send_batch(backend, events[:1])
            for number in range(1, len(events), 2):
                work = partial(self._use_up, backend, events[number])
                failure = in_a_child(work, self.deadline)
                assert not failure, failure
                send_batch(backend, events[number + 1 : number + 2])
            self._check_stored(backend, events)

    @pytest.mark.parametrize("text", _TEXTS)
    def test_finds_any_text(self, text: str) -> None:
        """No character of a value means anything to the store."""
        with self._running() as backend:
            send_batch(backend, [_an_event(value=text), _an_event(value="another")])
            reader = self._reader(backend)
            assert reader.count(where={"data.value": text}) == 1
            assert dict(reader.count_by("data.value")) == {text: 1, "another": 1}

    @pytest.mark.parametrize("number", _NUMBERS)
    def test_compares_numbers_exactly(self, number: Any) -> None:
        """A large integer is no float, and a number is none that is near."""
        with self._running() as backend:
            send_batch(backend, [_an_event(value=number), _an_event(value=0)])
            reader = self._reader(backend)
            text = f"{number:.1f}" if isinstance(number, float) else str(number)
            assert reader.count(where={"data.value": text}) == 1
            if isinstance(number, int):
                assert reader.count(where={"data.value": str(number - 1)}) == 0

    def test_a_server_that_says_nothing_is_left_in_time(self) -> None:
        """It may accept a connection, and hang."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            backend = callable_now(self.make_backend_at(server.getsockname()[1]))
            if backend is None:
                return
            before = monotonic()
            (failures,) = in_threads([partial(attempt, backend, SHORT)], SHORT + self.deadline)
            took = monotonic() - before
            self._ask(backend, "shutdown", SHORT)
        assert failures, "make_backend_at: the backend delivers all the same"
        assert not any(isinstance(each, RejectedError) for each in failures), (
            "a server that does not answer rejects nothing: raise RetryableError"
        )
        assert not any(self.secret in str(each) for each in failures), (
            "leave the password out of the message"
        )
        assert took < SHORT + self.grace, f"send_batch(…, timeout={SHORT}) took {took:.1f} seconds"

    def test_an_event_that_the_store_refuses_is_rejected_alone(self, tmp_path: Path) -> None:
        """The other events of its batch are stored."""
        events = [_an_event(n=n) for n in range(100)]
        with self._running() as backend:
            send_batch(backend, events[:1])
            if not self.refuse():
                return
        with self._tracking(tmp_path) as tracker:
            for event in events:
                tracker.emit(event["name"], event["data"])
            assert tracker.flush(self.deadline), "not everything was delivered in time"
            assert _counts(tracker)["dead_lettered"] == 1, "raise RejectedError for a refused event"
            assert _counts(tracker)["delivered"] == len(events) - 1
        assert len(self.stored(self.make_backend())) == len(events)

    def test_loses_and_repeats_nothing_while_the_sink_fails(self, tmp_path: Path) -> None:
        """Events are emitted all the time, and arrive when the sink can take them."""
        faults = list(self.faults())
        if not faults:
            return
        with self._tracking(tmp_path) as tracker:
            with _emitting(tracker) as emitted:
                for fault in faults:
                    self._wait(_grows(partial(_delivered, tracker)))
                    with fault:
                        self._wait(_grows(partial(len, emitted)))
            assert tracker.flush(self.deadline), "not everything was delivered in time"
            assert _delivered(tracker) == len(emitted)
        stored = [event["id"] for event in self.stored(self.make_backend())]
        assert sorted(stored) == sorted(emitted)

    @contextmanager
    def _tracking(self, directory: Path) -> Iterator[Tracker]:
        """Yield a tracker that delivers to the store from a queue."""
        tracker = Tracker()
        delivery = {**_DELIVERY, "directory": str(directory)}
        router = {"delivery": delivery, "backends": {"store": self.make_backend()}}
        tracker.configure({"backends": {"sink": router}})
        try:
            yield tracker
        finally:
            tracker.shutdown(self.deadline)

    def _reader(self, backend: Any) -> EventReader:
        return cast("EventReader", as_made(backend))

    def _wait(self, condition: Callable[[], bool]) -> None:
        end, pause = monotonic() + self.deadline, threading.Event()
        while not condition():
            assert monotonic() < end, f"too few events in {self.deadline:g} seconds"
            pause.wait(0.01)


def _an_event(name: str = "shop.order.placed", **data: Any) -> Event:
    return {"id": new_id(), "name": name, "timestamp": MONDAY, "context": {}, "data": data}


def _counts(tracker: Tracker) -> Mapping[str, int]:
    (router,) = tracker.stats()["tree"]["backends"]
    (leaf,) = router["backends"]
    counts: Mapping[str, int] = leaf
    return counts


def _delivered(tracker: Tracker) -> int:
    return _counts(tracker)["delivered"]


def _grows(number: Callable[[], int]) -> Callable[[], bool]:
    """Return a function that returns whether a number has grown enough since."""
    before = number()
    return lambda: number() >= before + ENOUGH


@contextmanager
def _emitting(tracker: Tracker) -> Iterator[list[str]]:
    """Emit events in a thread until the block ends; yield the growing list of their ids."""
    emitted: list[str] = []
    done = threading.Event()

    def emit() -> None:
        while not done.wait(0.001):
            emitted.append(tracker.emit("numbered", {"n": len(emitted)}))

    thread = threading.Thread(target=emit)
    thread.start()
    try:
        yield emitted
    finally:
        done.set()
        thread.join()
