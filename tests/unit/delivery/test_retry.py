"""P13, P14, P20: what is tried again, when, and what is dead-lettered."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from time import monotonic

import pytest
from waiting import wait_until

import eventtracking_core as et

pytestmark = pytest.mark.native

RETRY = et.RetryableError("the sink is busy")
REJECTED = et.RejectedError("the sink refuses it")


def _fails_with(error, *poison):
    """Fail every batch that has one of these events."""

    def told(numbers):
        return error if set(poison) & set(numbers) else None

    return told


def test_events_arrive_in_batches_and_in_order(tracker_to, sink):
    target = sink()
    tracker = tracker_to(target, max_batch_size=100, schedule_delay=5.0)
    tracker.emit_many(range(1000))
    assert tracker.flush(60)
    assert target.delivered == list(range(1000))
    assert all(len(call) <= 100 for call in target.calls)
    assert tracker.leaf()["delivered"] == 1000


@pytest.mark.parametrize(
    "error", [RETRY, ConnectionError(), ValueError("?"), SystemExit(3)], ids=type
)
def test_a_failure_is_tried_again_until_it_succeeds(tracker_to, sink, error):
    target = sink(error, error, error, error, error, error, error)
    tracker = tracker_to(target)
    tracker.emit_many(range(50))
    assert tracker.flush(60)
    assert sorted(target.delivered) == list(range(50))
    assert tracker.leaf()["delivered"] == 50


def test_the_worker_survives_whatever_a_backend_raises(tracker_to, sink):
    class Broken(et.RetryableError):
        def __str__(self):
            raise OSError

    errors = [
        SystemExit(1),
        KeyboardInterrupt(),
        GeneratorExit(),
        MemoryError(),
        Broken(),
        et.RetryableError(retry_after="soon"),
        et.RetryableError(retry_after=float("nan")),
        et.RetryableError(retry_after=-1),
        et.BatchError(["not", "a", "mapping"]),
        et.BatchError({0: "no error", "1": RETRY, 99: RETRY}),
        et.BatchError({0: SystemExit(1)}),
    ]
    target = sink(*errors)
    tracker = tracker_to(target)
    tracker.emit_many(range(20))
    assert tracker.flush(60)
    assert set(target.delivered) == set(range(20))
    assert tracker.leaf()["pending"] == 0


@pytest.mark.parametrize("size", [1, 3, 100, 512])
def test_events_that_are_all_rejected_are_all_dead_letters(tracker_to, sink, dead_letters, size):
    tracker = tracker_to(sink(otherwise=REJECTED), max_batch_size=512)
    tracker.emit_many(range(size))
    assert tracker.flush(60)
    assert tracker.leaf()["dead_lettered"] == size
    assert sorted(letter.event["data"]["n"] for letter in dead_letters()) == list(range(size))


def test_a_rejected_batch_is_split_until_the_poison_is_alone(tracker_to, sink, dead_letters):
    target = sink(otherwise=_fails_with(REJECTED, 37))
    before = datetime.now(UTC)
    tracker = tracker_to({"target": target})
    tracker.emit_many(range(100))
    assert tracker.flush(60)
    assert sorted(target.delivered) == [n for n in range(100) if n != 37]
    (letter,) = dead_letters()
    assert letter.event["data"] == {"n": 37}
    assert letter.event["name"] == "numbered"
    assert (letter.backend, letter.reason, letter.attempts) == ("r.target", "rejected", 1)
    assert letter.error == "RejectedError: the sink refuses it"
    assert before <= letter.time <= datetime.now(UTC) + timedelta(seconds=1)
    assert tracker.leaf()["dead_lettered"] == 1


def test_a_batch_error_names_the_events_that_failed(tracker_to, sink, dead_letters):
    target = sink(et.BatchError({1: REJECTED, 2: RETRY, 3: KeyError("?")}))
    tracker = tracker_to(target, schedule_delay=0.2)
    tracker.emit_many(range(5))
    assert tracker.flush(60)
    assert target.calls == [[0, 1, 2, 3, 4], [2, 3]]
    assert [letter.event["data"]["n"] for letter in dead_letters()] == [1]
    assert tracker.leaf()["delivered"] == 4


@pytest.mark.parametrize("position", [0, 50, 99])
def test_an_event_that_fails_for_no_named_reason_is_dead_lettered_while_others_pass(
    tracker_to, sink, dead_letters, eventually, position
):
    target = sink(otherwise=_fails_with(ValueError("a secret"), position))
    tracker = tracker_to(target)
    tracker.emit_many(range(100))
    eventually(dead_letters)
    assert tracker.flush(60)
    assert sorted(target.delivered) == [n for n in range(100) if n != position]
    (letter,) = dead_letters()
    assert (letter.reason, letter.event["data"]) == ("error", {"n": position})
    assert letter.attempts >= 5
    assert "secret" not in letter.error
    assert "ValueError" in letter.error


def test_a_backend_that_takes_events_singly_delivers_what_stands_behind_a_failing_one(
    tracker_to, eventually
):
    class Single:
        delivered = ()

        def send(self, event):
            if event["data"]["n"] == 3:
                raise OSError(90, "Message too long")
            self.delivered += (event["data"]["n"],)

    target = Single()
    tracker = tracker_to(target)
    tracker.emit_many(range(10))
    eventually(lambda: len(target.delivered) == 9)
    tracker.emit_many(range(10, 20))
    eventually(lambda: len(target.delivered) == 19)
    assert sorted(target.delivered) == [n for n in range(20) if n != 3]
    eventually(lambda: tracker.leaf()["pending"] == 1)


def test_nothing_is_dead_lettered_while_the_whole_sink_fails_for_no_named_reason(
    tracker_to, sink, dead_letters, eventually
):
    target = sink(otherwise=ValueError())
    tracker = tracker_to(target)
    tracker.emit_many(range(300))
    eventually(lambda: len(target.calls) > 200)
    assert dead_letters() == []

    flaky = random.Random(7)
    target.otherwise = lambda numbers: ValueError() if flaky.random() < 0.2 else None
    assert tracker.flush(60)
    assert tracker.leaf()["delivered"] == 300


def test_one_event_that_is_retried_for_ever_does_not_hold_up_the_others(
    tracker_to, sink, eventually
):
    def told(numbers):
        return et.BatchError({numbers.index(0): RETRY}) if 0 in numbers else None

    target = sink(otherwise=told)
    tracker = tracker_to(target)
    tracker.emit_many([0])
    eventually(lambda: len(target.calls) > 10)
    tracker.emit_many(range(1, 50))
    eventually(lambda: len(target.delivered) == 49)
    eventually(lambda: tracker.leaf()["pending"] == 1)


def test_what_is_tried_too_long_expires(tracker_to, sink, dead_letters, eventually):
    target = sink(otherwise=et.RetryableError("still busy"))
    tracker = tracker_to(target, max_elapsed_time=0.3)
    start = monotonic()
    tracker.emit_many(range(50))
    eventually(lambda: tracker.leaf()["dead_lettered"] == 50)
    assert monotonic() - start >= 0.3
    letters = dead_letters()
    assert {letter.reason for letter in letters} == {"expired"}
    assert {letter.error for letter in letters} == {"RetryableError: still busy"}
    assert all(letter.attempts >= 1 for letter in letters)


def test_a_sink_that_says_when_to_come_again_is_left_alone_until_then(tracker_to, sink):
    target = sink(et.RetryableError(retry_after=0.5), None)
    tracker = tracker_to(target, max_interval=10.0)
    tracker.emit_many([1])
    wait_until(lambda: target.delivered == [1])
    assert 0.5 <= target.called_at[1] - target.called_at[0] < 30.0


def test_a_sink_cannot_ask_for_more_than_ten_times_the_longest_interval(tracker_to, sink):
    target = sink(et.RetryableError(retry_after=3600))
    tracker = tracker_to(target, max_interval=0.02)
    tracker.emit_many([1])
    wait_until(lambda: target.delivered == [1])
    assert 0.2 <= target.called_at[1] - target.called_at[0] < 30.0


def test_backoffs_double_at_random_up_to_the_longest_interval(tracker_to, sink, eventually):
    target = sink(*[RETRY] * 40)
    tracker = tracker_to(target, initial_interval=0.01, max_interval=0.04)
    tracker.emit_many([1])
    eventually(lambda: target.delivered)
    waits = [later - sooner for sooner, later in pairwise(target.called_at)]
    assert len(waits) == 40
    # Full jitter: each wait is drawn from [0, limit], so their median is near half of the limit. A
    # busy machine prolongs them: the shorter ones show that there is a limit.
    assert median(waits[3:]) > 0.008
    assert sorted(waits)[8] < 0.04
    assert len({round(wait, 4) for wait in waits}) > 20


def test_after_five_failures_one_event_probes_the_sink(tracker_to, sink, eventually):
    target = sink(otherwise=RETRY)
    tracker = tracker_to(target, schedule_delay=0.2)
    tracker.emit_many(range(100))
    eventually(lambda: len(target.calls) >= 9)
    assert [len(call) for call in target.calls[:9]] == [100] * 5 + [1] * 4
    assert all(call == [0] for call in target.calls[5:9])
    target.otherwise = None
    assert tracker.flush(60)
    assert target.delivered == list(range(100))


def test_order_is_kept_on_the_first_attempt_and_within_retried_batches(tracker_to, sink):
    chance = random.Random(20)

    def told(numbers):
        dice = chance.random()
        if dice < 0.2:
            return RETRY
        if dice < 0.4:
            return et.BatchError({i: RETRY for i in range(len(numbers)) if chance.random() < 0.1})
        return None

    target = sink(otherwise=told)
    tracker = tracker_to(target, max_batch_size=256, initial_interval=0.001, max_interval=0.002)
    tracker.emit_many(range(10_000))
    assert tracker.flush(60)
    first_attempts = list(dict.fromkeys(n for call in target.calls for n in call))
    assert first_attempts == list(range(10_000))
    assert all(call == sorted(call) for call in target.calls)
    assert sorted(target.delivered) == list(range(10_000))
    assert tracker.leaf()["delivered"] == 10_000


def test_events_that_are_many_bytes_go_before_the_batch_has_its_number(
    tracker_to, sink, eventually
):
    target = sink()
    tracker = tracker_to(target, schedule_delay=60.0, max_batch_bytes="64 KiB")
    for n in range(4):
        tracker.emit("large", {"n": n, "text": "x" * 20_000})
    eventually(lambda: target.delivered == [0, 1, 2, 3])
    assert tracker.leaf()["pending"] == 0


def test_a_queue_smaller_than_a_batch_is_emptied_before_it_overflows(tracker_to, sink, eventually):
    target = sink()
    tracker = tracker_to(target, schedule_delay=60.0, max_queue_size=10)
    tracker.emit_many(range(10))
    eventually(lambda: target.delivered == list(range(10)))
