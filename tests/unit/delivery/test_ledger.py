"""The ledger's identity, under whatever a backend does, and under reconfiguration."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et

pytestmark = pytest.mark.native

ERRORS = st.sampled_from(
    [
        et.RetryableError,
        et.RejectedError,
        ConnectionError,
        KeyError,
        SystemExit,
        lambda: et.BatchError({0: et.RejectedError(), 1: et.RetryableError(), 3: KeyError()}),
        lambda: et.BatchError(dict.fromkeys(range(64), et.RetryableError())),
        lambda: et.BatchError([]),
    ]
)
SCRIPTS = st.lists(st.none() | ERRORS, max_size=30)
STEPS = st.lists(st.integers(1, 40) | st.just("flush"), min_size=1, max_size=8)


class Scripted:
    """Fails as told, then delivers; `send` for one by one, else `send_batch`."""

    def __init__(self, script):
        self.script = list(script)
        self.numbers = []

    def told(self):
        error = self.script.pop(0) if self.script else None
        if error is not None:
            raise error()


class Together(Scripted):
    def send_batch(self, events, *, timeout):
        numbers = [event["data"]["n"] for event in events]
        try:
            self.told()
        except et.BatchError as error:
            failed = error.failures
            self.numbers += [n for index, n in enumerate(numbers) if index not in failed]
            raise
        self.numbers += numbers


class Singly(Scripted):
    def send(self, event):
        self.told()
        self.numbers.append(event["data"]["n"])


@pytest.mark.slow
@settings(max_examples=60)
@given(
    kind=st.sampled_from([Together, Singly]),
    script=SCRIPTS,
    steps=STEPS,
    options=st.fixed_dictionaries(
        {
            "mode": st.sampled_from(["queue", "spool"]),
            "max_queue_size": st.sampled_from([1, 7, 1000]),
            "max_batch_size": st.sampled_from([1, 5, 64]),
            "max_elapsed_time": st.sampled_from([None, 0.001, 60]),
            "max_dead_letter_bytes": st.sampled_from([1, 10**6]),
            "when_full": st.sampled_from(["drop_newest", "spool"]),
        }
    ),
)
def test_every_event_is_accounted_for_whatever_the_backend_does(kind, script, steps, options):
    backend = kind(script)
    fast = {"schedule_delay": 0.001, "initial_interval": 0.0005, "max_interval": 0.001}
    with TemporaryDirectory() as directory:
        delivery = {**fast, **options, "directory": directory, "fsync_interval": 60}
        tracker = et.Tracker()
        tracker.configure({"backends": {"r": {"delivery": delivery, "backends": {"b": backend}}}})
        emitted = 0
        for step in steps:
            if step == "flush":
                tracker.flush(5)
                continue
            for _ in range(step):
                tracker.emit("numbered", {"n": emitted})
                emitted += 1
        assert tracker.flush(60)
        stats = tracker.stats()["tree"]["backends"][0]["backends"][0]
        assert tracker.shutdown(60)
    assert stats["pending"] == 0
    assert stats["accepted"] == emitted
    settled = stats["delivered"] + stats["dead_lettered"] + sum(stats["dropped"].values())
    assert settled == emitted
    arrived = set(backend.numbers)
    assert len(arrived) >= stats["delivered"]
    if not stats["dropped"] and not stats["dead_lettered"]:
        assert arrived == set(range(emitted))


def test_reconfiguring_under_emitting_threads_loses_no_event(tmp_path, sink):
    """Every event arrives in the old backend or in the new one, and each ledger is in balance."""
    targets = [sink() for _ in range(10)]
    tracker = et.Tracker()

    def configure(target):
        delivery = {"mode": "queue", "schedule_delay": 0.001, "directory": str(tmp_path)}
        tracker.configure({"backends": {"r": {"delivery": delivery, "backends": {"b": target}}}})

    configure(targets[0])
    stop = threading.Event()
    emitted = [0] * 4

    def emit(thread):
        while not stop.is_set():
            tracker.emit("numbered", {"n": thread * 10_000_000 + emitted[thread]})
            emitted[thread] += 1
            if emitted[thread] % 100 == 0:
                stop.wait(0.001)  # or four emitters outrun one worker

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=emit, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for target in targets[1:]:
            configure(target)
        stop.set()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert tracker.shutdown(60)
    arrived = [n for target in targets for n in target.delivered]
    wanted = {thread * 10_000_000 + n for thread in range(4) for n in range(emitted[thread])}
    assert set(arrived) == wanted
    assert len(arrived) == len(wanted)


def test_an_event_of_an_interrupted_emit_is_counted(tracker_to, black_hole, eventually):
    """A thread that is interrupted while it waits for room leaves a ledger in balance."""
    import signal

    hole = black_hole()
    tracker = tracker_to(hole, max_queue_size=1, max_batch_size=1, when_full="block")
    tracker.emit_many([0])
    eventually(hole.reached.is_set)
    tracker.emit_many([1])

    def interrupt(number, frame):
        raise KeyboardInterrupt

    def is_interrupted():
        with suppress(KeyboardInterrupt):  # on a busy machine, it may come before or after the wait
            signal.setitimer(signal.ITIMER_REAL, 0.03)
            tracker.emit_many([2])
        return "interrupted" in tracker.leaf()["dropped"]

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        eventually(is_interrupted)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert tracker.leaf()["dropped"]["interrupted"] == 1
