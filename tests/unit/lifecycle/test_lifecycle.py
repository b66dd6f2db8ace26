"""Flushing and shutting down a tracker."""

from __future__ import annotations

import asyncio
import threading
from time import monotonic

import pytest
from waiting import DEADLINE

import eventtracking_core as et


class Slow:
    """Takes all the time it is given."""

    def __init__(self):
        self.asked = []

    def send(self, event): ...

    def flush(self, timeout):
        self.asked.append(timeout)
        threading.Event().wait(timeout)
        return False

    shutdown = flush


class Stuck:
    """Is inside `send` until it is let go."""

    def __init__(self):
        self.entered, self.let_go = threading.Event(), threading.Event()

    def send(self, event):
        self.entered.set()
        assert self.let_go.wait(DEADLINE)


class Asked:
    """Answers as it is told to."""

    def __init__(self, answer):
        self.answer = answer

    def send(self, event): ...

    def flush(self, timeout):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    shutdown = flush


@pytest.mark.parametrize("method", ["flush", "shutdown"])
def test_backends_share_one_deadline(method):
    slow = [Slow() for _ in range(3)]
    tracker = et.Tracker({f"slow{number}": backend for number, backend in enumerate(slow)})

    assert getattr(tracker, method)(0.2) is False
    assert sum(timeout for backend in slow for timeout in backend.asked) < 0.3
    assert all(len(backend.asked) == 1 for backend in slow)


@pytest.mark.parametrize("method", ["flush", "shutdown"])
@pytest.mark.parametrize(
    ("answer", "expected"), [(True, True), (None, True), (False, False), (OSError(), False)]
)
def test_a_tracker_tells_what_its_backends_tell(method, answer, expected):
    backend = Asked(answer)
    tracker = et.Tracker({"a": Asked(None), "b": backend, "c": Asked(None)})

    assert getattr(tracker, method)(5) is expected
    backend.answer = None  # the end of the process asks it too


class Exiting(Asked):
    """Ends the program when it is shut down."""

    def __init__(self):
        super().__init__(answer=True)
        self.asked = 0

    def shutdown(self, timeout):
        self.asked += 1
        raise SystemExit(3)


@pytest.mark.parametrize("delivery", ["inline", "unused queue"])
def test_an_exit_in_a_backend_s_shutdown_ends_the_program_after_the_others_are_shut_down(delivery):
    class Last(Asked):
        done = False

        def shutdown(self, timeout):
            self.done = True

    exiting, last = Exiting(), Last(answer=True)
    mode = {"delivery": "queue" if "queue" in delivery else "inline"}
    tracker = et.Tracker()
    tracker.configure(
        {"backends": {"r": {**mode, "backends": {"a": exiting}}, "z": {"backends": {"last": last}}}}
    )
    with pytest.raises(SystemExit) as caught:
        tracker.shutdown(5)
    assert caught.value.code == 3
    assert last.done
    with pytest.raises(SystemExit):
        tracker.shutdown(5)
    assert tracker.shutdown(60)
    assert exiting.asked == 2


def test_an_exit_in_the_shutdown_of_a_replaced_backend_leaves_the_new_tree(memory):
    tracker = et.Tracker({"old": Exiting()})
    with pytest.raises(SystemExit):
        tracker.configure({"backends": {"new": memory}})
    tracker.emit("kept")
    assert len(memory.events) == 1


@pytest.mark.native
def test_shutting_down_waits_for_a_thread_that_is_inside_a_backend():
    stuck = Stuck()
    tracker = et.Tracker({"stuck": stuck})
    emitting = threading.Thread(target=tracker.emit, args=["name"])
    emitting.start()
    assert stuck.entered.wait(DEADLINE)
    threading.Timer(0.05, stuck.let_go.set).start()

    assert tracker.shutdown(DEADLINE) is True
    assert tracker.stats()["tree"]["backends"][0]["delivered"] == 1
    emitting.join()


@pytest.mark.native
def test_shutting_down_tells_that_a_backend_did_not_end_in_time():
    stuck = Stuck()
    tracker = et.Tracker({"stuck": stuck})
    emitting = threading.Thread(target=tracker.emit, args=["name"])
    emitting.start()
    assert stuck.entered.wait(DEADLINE)
    began = monotonic()
    ended = tracker.shutdown(0.1)
    took = monotonic() - began
    stuck.let_go.set()
    emitting.join()

    assert ended is False
    assert took < DEADLINE / 2


def test_after_shutdown_events_are_dropped_and_counted(tracker, memory):
    tracker.emit("before")
    tracker.shutdown(1)

    assert tracker.emit("after")
    assert tracker.shutdown(1) is True
    (leaf,) = tracker.stats()["tree"]["backends"]
    assert (leaf["delivered"], leaf["dropped"], leaf["pending"]) == (1, {"shutdown": 1}, 0)


def test_a_tracker_may_be_configured_again_after_shutdown(tracker, memory):
    tracker.shutdown(1)
    tracker.configure({"backends": {"memory": memory}})
    tracker.emit("name")

    assert len(memory.events) == 1


@pytest.mark.native
def test_flushing_does_not_block_the_event_loop():
    slow = Slow()
    tracker = et.Tracker({"slow": slow})

    async def turns_while_flushing():
        flushing = asyncio.create_task(tracker.aflush(0.2))
        turns = 0
        while not flushing.done():
            await asyncio.sleep(0)
            turns += 1
        return flushing.result(), turns

    flushed, turns = asyncio.run(turns_while_flushing())
    assert flushed is False
    assert turns > 10
