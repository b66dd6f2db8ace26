"""P12, P19: emitting where other code may stand still: in handlers, finalizers, at the end."""

from __future__ import annotations

import logging
import logging.config
import threading
from itertools import count

import pytest
from interrupting import calls_interrupted

COMMON = """
import atexit, gc, json, signal, sys, threading, time
import eventtracking_core as et

class Sink:
    def __init__(self):
        self.numbers = []
    def send_batch(self, events, *, timeout):
        self.numbers += [event["data"]["n"] for event in events]

def tracker_to(sink, **delivery):
    options = {"mode": "queue", "schedule_delay": 0.01, **delivery}
    tracker = et.Tracker()
    tracker.configure({"backends": {"r": {"delivery": options, "backends": {"sink": sink}}}})
    return tracker

def ledger(tracker):
    stats = tracker.stats()["tree"]["backends"][0]["backends"][0]
    gone = stats["delivered"] + sum(stats["dropped"].values()) + stats["dead_lettered"]
    assert stats["accepted"] == gone + stats["pending"], stats
    return stats
"""

STORM = """
sink = Sink()
tracker = tracker_to(sink)
emitted = [0, 0]

def handler(number, frame):
    for _ in range(3):
        tracker.emit("in a handler", {"n": -emitted[1]})
        emitted[1] += 1

signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
while emitted[1] < 300:
    for _ in range(200):
        tracker.emit("numbered", {"n": emitted[0]})
        emitted[0] += 1
    tracker.flush(60)
signal.setitimer(signal.ITIMER_REAL, 0)
assert tracker.flush(60)
print(json.dumps([sum(emitted), len(sink.numbers), ledger(tracker)["delivered"], emitted[1]]))
"""

FIRST_IN_A_HANDLER = """
sink = Sink()
tracker = tracker_to(sink)
signal.signal(signal.SIGALRM, lambda number, frame: tracker.emit("first", {"n": 1}))
with threading._active_limbo_lock:  # which `Thread.start` holds
    signal.raise_signal(signal.SIGALRM)
assert tracker.flush(60)
print(json.dumps(sink.numbers))
"""

FINALIZERS = """
sink = Sink()
tracker = tracker_to(sink)
emitted = [0]

def emit(*_):
    tracker.emit("collected", {"n": emitted[0]})
    emitted[0] += 1

class Loop:
    def __init__(self):
        self.me = self
    def __del__(self):
        emit()

gc.callbacks.append(emit)
gc.set_threshold(10)
for n in range(3000):
    Loop()
    tracker.emit("numbered", {"n": -1, "list": [[n] for _ in range(20)]})
gc.callbacks.clear()
gc.disable()
while gc.collect() or tracker.stats()["emitted"] > len(sink.numbers):
    assert tracker.flush(60)
print(json.dumps([tracker.stats()["emitted"], len(sink.numbers), ledger(tracker)["delivered"]]))
"""

AT_EXIT = """
import os
class Loud(Sink):
    def send_batch(self, events, *, timeout):
        super().send_batch(events, timeout=timeout)
        os.write(1, f"{len(self.numbers)}\\n".encode())

tracker = tracker_to(Loud())

class AtTeardown:
    def __del__(self):
        tracker.emit("too late", {"n": 3})

keep = AtTeardown()
atexit.register(lambda: tracker.emit("first of all", {"n": 1}))
"""

FAILING_AT_EXIT = """
class Down:
    def send_batch(self, events, *, timeout):
        raise et.RetryableError("down")

tracker = tracker_to(Down(), initial_interval=0.01)

@atexit.register
def end():
    tracker.emit("first of all", {"n": 1})
    start = time.monotonic()
    assert not tracker.flush(0.3)
    assert ledger(tracker)["pending"] == 1
    assert not tracker.flush(0.3)
    flushed = time.monotonic() - start
    tracker.shutdown(0.3)
    print(json.dumps([flushed < 20, ledger(tracker)["dropped"]]))
"""


def test_emit_is_safe_in_a_storm_of_signals(python):
    emitted, arrived, delivered, in_handlers = python(COMMON + STORM)
    assert in_handlers > 100
    assert emitted == arrived == delivered


def test_the_first_event_may_come_from_a_handler_while_a_thread_is_started(python):
    assert python(COMMON + FIRST_IN_A_HANDLER) == [1]


def test_emit_is_safe_in_finalizers_and_in_the_callbacks_of_the_collector(python):
    emitted, arrived, delivered = python(COMMON + FINALIZERS)
    assert emitted > 6000
    assert emitted == arrived == delivered


def test_a_first_event_at_exit_is_delivered_though_no_thread_can_be_started(python):
    assert python(COMMON + AT_EXIT) == 1


def test_flush_and_shutdown_at_exit_keep_their_time_though_the_backend_fails(python):
    in_time, dropped = python(COMMON + FAILING_AT_EXIT)
    assert in_time
    assert dropped == {"shutdown": 1}


class Emitting(logging.Handler):
    """Routes log lines back into the tracker."""

    def __init__(self, tracker):
        super().__init__()
        self.tracker = tracker
        self.handled = 0

    def emit(self, record):
        self.handled += 1
        self.tracker.emit("log", {"n": -self.handled, "message": record.getMessage()})


def test_a_full_queue_keeps_what_a_handler_emits_while_an_event_is_spooled(
    tracker_to, black_hole, eventually
):
    hole, numbers = black_hole(), count()
    tracker = tracker_to(hole, max_queue_size=200, max_batch_size=1, when_full="spool")

    def emit():
        tracker.emit("numbered", {"n": next(numbers)})

    emit()
    eventually(hole.reached.is_set)
    for _ in range(300):
        emit()
    places = sum(1 for _ in calls_interrupted(emit, handler=emit))
    emitted = next(numbers)
    assert emitted >= 301 + 2 * places > 301
    assert tracker.leaf()["pending"] == emitted
    hole.released.set()
    assert tracker.flush(60)
    assert sorted(hole.delivered) == list(range(emitted))


@pytest.mark.parametrize("when_full", ["drop_newest", "block"])
def test_our_own_log_lines_routed_back_to_us_end(tracker_to, black_hole, eventually, when_full):
    hole = black_hole()
    tracker = tracker_to(hole, max_queue_size=5, max_batch_size=1, when_full=when_full)
    handler = Emitting(tracker)
    logger = logging.getLogger("eventtracking")
    logger.addHandler(handler)
    try:
        tracker.emit_many([0])
        eventually(hole.reached.is_set)
        tracker.emit_many(range(1, 11))
    finally:
        logger.removeHandler(handler)
    assert handler.handled == 1
    assert tracker.leaf()["dropped"] == {"queue_full": 6}


def test_logging_may_be_configured_anew_during_a_flush(tracker_to, sink):
    target = sink(*[OSError(5, "Input/output error")] * 50)
    tracker = tracker_to(target)
    handler = Emitting(tracker)
    logging.getLogger("eventtracking").addHandler(handler)
    tracker.emit_many(range(100))
    flushing = threading.Thread(target=tracker.flush, args=(10,))
    flushing.start()
    for _ in range(50):
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
    flushing.join()
    logging.getLogger("eventtracking").removeHandler(handler)
    assert tracker.flush(60)
    assert tracker.leaf()["delivered"] == 100 + handler.handled
