"""Inline leaves that collect batches: what a batch delivers, and when."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.delivery import collect_batches
from eventtracking_core.encoding import NormalBatch

SIZE = 10
POISON = 5


class Store:
    """Keeps what it is sent; a batch with the poison event fails as a whole."""

    def __init__(self, error=None):
        self.error = error
        self.batches = []

    def send(self, event):
        self.send_batch([event], timeout=1)

    def send_batch(self, events, *, timeout):
        numbers = [event["data"]["n"] for event in events]
        if self.error is not None and POISON in numbers:
            raise self.error
        self.batches.append(numbers)

    @property
    def numbers(self):
        return [number for batch in self.batches for number in batch]


class Scripted(Store):
    """Fails as told, then delivers."""

    def __init__(self, script):
        super().__init__()
        self.script = list(script)

    def send_batch(self, events, *, timeout):
        error = self.script.pop(0) if self.script else None
        failures = {}
        if isinstance(error, dict):
            failures = {index: each for index, each in error.items() if index < len(events)}
        elif error is not None:
            raise error
        self.batches.append(
            [event["data"]["n"] for index, event in enumerate(events) if index not in failures]
        )
        if failures:
            raise et.BatchError(failures)


class OneByOne:
    """Takes no batches."""

    def __init__(self):
        self.numbers = []

    def send(self, event):
        self.numbers.append(event["data"]["n"])


def collecting(backend, **siblings):
    tracker = et.Tracker({"store": backend, **siblings})
    return tracker, collect_batches(tracker.root, SIZE)


def send(tracker, an_event, numbers):
    for number in numbers:
        tracker.send(an_event({"n": number}))


def counts(tracker):
    leaf = tracker.stats()["tree"]["backends"][-1]
    return leaf["accepted"], leaf["delivered"], leaf["dropped"], leaf["pending"]


def test_events_arrive_in_batches_in_their_order_and_the_rest_with_flush(an_event):
    store = Store()
    tracker, leaves = collecting(store)
    send(tracker, an_event, range(25))
    assert [leaf.backend for leaf in leaves] == [store]
    assert store.batches == [list(range(10)), list(range(10, 20))]
    assert counts(tracker) == (25, 20, {}, 5)
    assert tracker.pending == 5
    assert tracker.flush(60)
    assert store.numbers == list(range(25))
    assert counts(tracker) == (25, 25, {}, 0)


def test_backends_without_batches_and_leaves_with_a_queue_stay_as_they_are(an_event):
    single, queued = OneByOne(), Store()
    tracker = et.Tracker()
    tracker.configure(
        {
            "backends": {
                "single": single,
                "deep": {"processors": [], "backends": {"store": Store()}},
                "queued": {"delivery": "queue", "backends": {"store": queued}},
            }
        }
    )
    kinds = [type(leaf).__name__ for leaf in tracker.root.leaves()]
    assert len(collect_batches(tracker.root, SIZE)) == 1
    after = [type(leaf).__name__ for leaf in tracker.root.leaves()]
    assert (kinds, after) == (
        ["InlineLeaf", "InlineLeaf", "BufferedLeaf"],
        ["InlineLeaf", "CollectingLeaf", "BufferedLeaf"],
    )
    send(tracker, an_event, range(3))
    assert single.numbers == [0, 1, 2]
    assert tracker.shutdown(60)
    assert queued.numbers == [0, 1, 2]


class Kinds:
    """Keeps what kind of batch it is sent, and may send an event itself."""

    def __init__(self, sends=None):
        self.kinds = []
        self.sends = sends

    def send_batch(self, events, *, timeout):
        self.kinds.append(type(events) is NormalBatch)
        if self.sends is not None:
            sends, self.sends = self.sends, None
            sends()


def test_a_batch_is_normal_unless_one_of_its_events_may_not_be(an_event):
    store = Kinds()
    tracker = et.Tracker({"store": store})
    [leaf] = collect_batches(tracker.root, SIZE, are_normal=True)
    send(tracker, an_event, range(SIZE + 1))
    leaf.expect_any()
    send(tracker, an_event, range(2 * SIZE - 1))
    store.sends = lambda: send(tracker, an_event, [0])  # who knows what a backend sends
    send(tracker, an_event, range(2 * SIZE - 1))
    assert store.kinds == [True, False, True, True, False]


@pytest.mark.parametrize(
    ("processors", "others"), [([lambda _: None], {}), ([], {"other": Store()})]
)
def test_no_batch_is_normal_that_others_could_have_changed(an_event, processors, others):
    store = Kinds()
    tracker = et.Tracker({"store": store, **others}, processors=processors)
    collect_batches(tracker.root, SIZE, are_normal=True)
    send(tracker, an_event, range(SIZE))
    assert store.kinds == [False]


def test_shutdown_delivers_what_is_collected_and_later_events_are_dropped(an_event):
    store = Store()
    tracker, _ = collecting(store)
    send(tracker, an_event, range(3))
    assert tracker.shutdown(60)
    send(tracker, an_event, [3])
    assert store.numbers == [0, 1, 2]
    assert counts(tracker) == (4, 3, {"shutdown": 1}, 0)


def test_a_leaf_that_leaves_its_tree_delivers_what_it_collected(an_event):
    store = Store()
    tracker, _ = collecting(store)
    send(tracker, an_event, range(3))
    tracker.root.unregister_backend("store")
    assert store.numbers == [0, 1, 2]


@pytest.mark.parametrize("error", [ValueError("odd"), et.RejectedError("no")])
def test_of_a_batch_with_a_poison_event_only_that_is_lost(an_event, error):
    store = Store(error)
    tracker, _ = collecting(store)
    send(tracker, an_event, range(25))
    assert tracker.flush(60)
    assert sorted(store.numbers) == [number for number in range(25) if number != POISON]
    accepted, delivered, dropped, pending = counts(tracker)
    assert (accepted, delivered, sum(dropped.values()), pending) == (25, 24, 1, 0)


def test_a_sink_that_is_away_for_a_moment_costs_no_event(an_event):
    store = Scripted([et.RetryableError("locked"), None, ConnectionError()])
    tracker, _ = collecting(store)
    send(tracker, an_event, range(20))
    assert store.batches == [list(range(10)), list(range(10, 20))]


def test_a_sink_that_is_away_is_not_asked_for_each_event(an_event, caplog):
    store = Store(et.RetryableError("locked"))
    tracker, _ = collecting(store)
    send(tracker, an_event, range(20))
    assert store.batches == [list(range(10, 20))]
    assert counts(tracker) == (20, 10, {"error": 10}, 0)
    assert "backend store did not deliver an event: RetryableError: locked" in caplog.text


def test_an_interrupt_leaves_the_batch_that_it_met_pending(an_event):
    store = Scripted([None, KeyboardInterrupt()])
    tracker, _ = collecting(store)
    with pytest.raises(KeyboardInterrupt):
        send(tracker, an_event, range(25))
    assert counts(tracker) == (20, 10, {}, 10)
    assert tracker.flush(60)
    assert store.numbers == list(range(20))
    assert counts(tracker) == (20, 20, {}, 0)


def test_a_later_backend_cannot_change_what_was_collected(an_event):
    class Changing(OneByOne):
        def send(self, event):
            event["data"]["n"] = -1

    store = Store()
    tracker, _ = collecting(store, z=Changing())
    send(tracker, an_event, range(3))
    tracker.flush(60)
    assert store.numbers == [0, 1, 2]


def test_events_that_the_backend_sends_itself_go_with_the_next_batch(an_event):
    class Answering(Store):
        def send_batch(self, events, *, timeout):
            super().send_batch(events, timeout=timeout)
            if len(self.batches) == 1:
                send(tracker, an_event, range(100, 125))

    store = Answering()
    tracker, _ = collecting(store)
    send(tracker, an_event, range(10))
    assert tracker.flush(60)
    assert store.batches == [list(range(10)), list(range(100, 125))]


def test_records_of_event_types_are_saved_before_their_events(an_event):
    class Keeping(Store):
        def save_event_type(self, record):
            self.batches.append([record.name])

    store = Keeping()
    tracker, _ = collecting(store)
    record = tracker.register("edx.problem.check", "A problem was checked.")
    for number in range(2):
        tracker.send(an_event({"n": number}, name_id=record.id))
    tracker.flush(60)
    assert store.batches == [["edx.problem.check"], [0, 1]]


ERRORS = st.sampled_from(
    [
        et.RetryableError(),
        et.RejectedError(),
        ConnectionError(),
        KeyError(),
        {0: et.RejectedError(), 1: et.RetryableError(), 3: KeyError()},
        {3: et.RejectedError()},
        KeyboardInterrupt(),
    ]
)


@given(script=st.lists(st.none() | ERRORS, max_size=20), number=st.integers(0, 45))
def test_every_event_has_one_outcome_whatever_the_backend_does(script, number):
    store = Scripted(script)
    tracker, _ = collecting(store)
    sent = 0
    for at in range(number):
        event = {"id": f"{at}", "name": "n", "timestamp": None, "context": {}, "data": {"n": at}}
        with suppress(KeyboardInterrupt):
            tracker.send(event)
        sent += 1
    while tracker.pending:
        with suppress(KeyboardInterrupt):
            assert tracker.flush(60)
    accepted, delivered, dropped, pending = counts(tracker)
    assert (accepted, pending) == (sent, 0)
    assert delivered + sum(dropped.values()) == sent
    assert len(store.numbers) == len(set(store.numbers)) == delivered
