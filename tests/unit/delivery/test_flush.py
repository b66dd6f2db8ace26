"""P11, P18: flushing and shutting down, within their time, and what they promise."""

from __future__ import annotations

import asyncio
import random
import threading

import pytest
from waiting import at_most

import eventtracking_core as et

pytestmark = pytest.mark.native


def test_flush_ends_a_backoff_by_one_immediate_attempt(tracker_to, sink, eventually):
    target = sink(et.RetryableError(retry_after=60))
    tracker = tracker_to(target, max_interval=60.0)
    tracker.emit_many(range(10))
    eventually(lambda: len(target.calls) == 1)
    assert tracker.flush(60)
    assert sorted(target.delivered) == list(range(10))


def test_flush_makes_one_attempt_for_each_who_flushes(tracker_to, sink, eventually):
    target = sink(otherwise=et.RetryableError(retry_after=60))
    tracker = tracker_to(target, max_interval=60.0)
    tracker.emit_many(range(10))
    eventually(lambda: len(target.calls) == 1)
    for attempts in (2, 3, 4):
        assert not tracker.flush(0.2)
        assert len(target.calls) == attempts
    assert tracker.leaf()["pending"] == 10


def test_flush_delivers_without_waiting_for_the_delay(tracker_to, sink):
    target = sink()
    tracker = tracker_to(target, schedule_delay=60.0)
    tracker.emit_many(range(10))
    assert tracker.flush(60)
    assert target.delivered == list(range(10))


def test_flush_of_a_tracker_that_emitted_nothing_starts_no_thread(tracker_to, sink):
    tracker = tracker_to(sink())
    before = threading.active_count()
    assert tracker.flush(60)
    assert tracker.shutdown(60)
    assert threading.active_count() == before


def test_there_is_no_end_of_patience_for_who_has_none(tracker_to, sink):
    target = sink()
    tracker = tracker_to(target, schedule_delay=3e9, max_interval=3e9)
    tracker.emit_many(range(10))
    assert tracker.flush(float("inf"))
    assert tracker.shutdown(float("inf"))
    assert target.closed


def test_flush_never_says_done_before_everything_accepted_earlier_has_an_outcome(tracker_to, sink):
    """Events are dropped, rejected and retried meanwhile, by four threads."""
    rejected = set()
    target = sink(otherwise=_moody(random.Random(5), rejected))
    tracker = tracker_to(target, max_queue_size=50, max_batch_size=20, initial_interval=0.001)
    flushed = []

    def settled():
        return set(target.delivered) | rejected.copy()

    def emit_and_flush(first):
        for number in range(25):
            mine = set(range(first + number * 20, first + number * 20 + 20))
            for n in mine:
                tracker.emit("numbered", {"n": n})
            done = tracker.flush(60)
            flushed.append((done, mine, settled()))

    threads = [threading.Thread(target=emit_and_flush, args=(n * 1000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tracker.flush(60)
    assert all(done for done, _, _ in flushed)
    assert all(mine & settled() == mine & then for _, mine, then in flushed)


def _moody(chance, rejected):
    def told(numbers):
        dice = chance.random()
        if dice < 0.1:
            return et.RetryableError()
        if dice < 0.2:
            rejected.add(numbers[0])
            return et.BatchError({0: et.RejectedError()})
        return None

    return told


def test_a_flush_that_gives_up_leaves_the_ledger_in_balance(tracker_to, black_hole, eventually):
    hole = black_hole()
    tracker = tracker_to(hole, max_queue_size=10)
    tracker.emit_many([0])
    eventually(hole.reached.is_set)
    tracker.emit_many(range(1, 5))
    for _ in range(20):
        assert not tracker.flush(0.001)
    assert tracker.leaf()["pending"] == 5
    tracker.emit_many(range(5, 11))
    assert tracker.leaf()["dropped"] == {}
    hole.released.set()
    assert tracker.flush(60)
    assert tracker.leaf()["delivered"] == 11


@pytest.mark.slow
def test_shutdown_is_bounded_however_many_backends_are_black_holes(
    tracker_to, black_hole, sink, eventually
):
    holes = {f"hole{n}": black_hole() for n in range(3)}
    target = sink()
    tracker = tracker_to({**holes, "target": target}, max_batch_size=10)
    tracker.emit_many(range(10))
    for hole in holes.values():
        eventually(hole.reached.is_set)
    tracker.emit_many(range(10, 100))
    with at_most(3):
        assert not tracker.shutdown(2)
    assert sorted(target.delivered) == list(range(100))
    assert target.closed
    for name in holes:
        stats = tracker.leaf(name)
        assert stats["dropped"] == {"shutdown": 100 - stats["pending"]}
        assert 1 <= stats["pending"] <= 10


def test_shutdown_delivers_what_waits_and_tries_again_what_fails(tracker_to, sink):
    target = sink(*[et.RetryableError(retry_after=60)] * 3)
    tracker = tracker_to(target, max_interval=60.0, schedule_delay=60.0)
    tracker.emit_many(range(1000))
    assert tracker.shutdown(60)
    assert target.delivered == list(range(1000))
    assert target.closed
    assert tracker.leaf()["delivered"] == 1000


def test_what_is_not_delivered_in_time_is_counted_and_told(tracker_to, sink, caplog, eventually):
    target = sink(otherwise=et.RetryableError())
    tracker = tracker_to(target, max_batch_size=10)
    tracker.emit_many(range(100))
    eventually(lambda: target.calls)
    with caplog.at_level("ERROR", "eventtracking"):
        tracker.shutdown(0.3)
        eventually(lambda: tracker.leaf()["dropped"] == {"shutdown": 100})
        eventually(lambda: "not delivered in time" in caplog.text)


def test_what_a_backend_still_holds_when_the_time_is_up_is_told(
    tracker_to, black_hole, caplog, eventually
):
    hole = black_hole()
    tracker = tracker_to(hole)
    tracker.emit_many([1])
    eventually(hole.reached.is_set)
    with caplog.at_level("ERROR", "eventtracking"):
        assert not tracker.shutdown(0.1)
    assert "shutdown timed out with 1 event in flight" in caplog.text
    assert tracker.leaf()["pending"] == 1
    hole.released.set()
    eventually(lambda: tracker.leaf()["delivered"] == 1)


def test_attempts_end_within_the_time_that_shutdown_has(tracker_to, sink, eventually):
    target = sink(otherwise=et.RetryableError())
    tracker = tracker_to(target, export_timeout=20.0)
    tracker.emit_many(range(10))
    eventually(lambda: target.calls)
    assert target.timeouts[0] == 20.0
    before = len(target.calls)
    tracker.shutdown(0.5)
    assert all(timeout <= 20.0 for timeout in target.timeouts[:before])
    assert all(timeout <= 1.0 for timeout in target.timeouts[before + 1 :])


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), ValueError()], ids=type)
def test_a_backend_that_fails_to_close_is_closed_once(tracker_to, error):
    class Closing:
        closed = 0

        def send(self, event):
            pass

        def shutdown(self, timeout):
            self.closed += 1
            raise error

    target = Closing()
    tracker = tracker_to(target)
    tracker.emit_many(range(10))
    with at_most(5):
        tracker.shutdown(10)
    assert target.closed == 1
    assert tracker.leaf()["delivered"] == 10


def test_an_event_that_comes_after_shutdown_is_counted(tracker_to, sink):
    tracker = tracker_to(sink())
    tracker.emit_many(range(3))
    assert tracker.shutdown(60)
    tracker.emit_many(range(3, 5))
    stats = tracker.leaf()
    assert (stats["delivered"], stats["dropped"]) == (3, {"shutdown": 2})


def test_cancelling_an_aflush_loses_nothing(tracker_to, sink):
    chance = random.Random(18)
    target = sink(otherwise=lambda numbers: et.RetryableError() if chance.random() < 0.3 else None)
    tracker = tracker_to(target)

    async def main():
        for n in range(100):
            tracker.emit("numbered", {"n": n})
            task = asyncio.create_task(tracker.aflush(60))
            await asyncio.sleep(chance.random() * 0.01)
            if chance.random() < 0.7:
                task.cancel()
        return await tracker.aflush(60)

    assert asyncio.run(main())
    assert sorted(target.delivered) == list(range(100))
    assert tracker.leaf()["delivered"] == 100


def test_the_loop_is_not_blocked_by_a_flush_that_waits(tracker_to, black_hole, eventually):
    hole = black_hole()
    tracker = tracker_to(hole)
    tracker.emit_many(range(3))
    eventually(hole.reached.is_set)

    async def main():
        flush = asyncio.create_task(tracker.aflush(60))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not flush.done()
        hole.released.set()
        return await flush

    assert asyncio.run(main())
