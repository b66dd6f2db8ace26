"""A worker that is interrupted as it starts, or ends while its start goes on."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Mapping
from functools import partial

import pytest
from waiting import DEADLINE, at_most

pytestmark = pytest.mark.native


class Interrupted:
    """An asyncio backend that is interrupted as it warms up."""

    def __init__(self):
        self.got = []

    async def warm_up(self):
        signal.raise_signal(signal.SIGUSR1)

    async def send_batch(self, events, *, timeout):  # noqa: ASYNC109
        self.got += [event["name"] for event in events]


@pytest.fixture
def on_signal():
    """Handles SIGUSR1 by a function."""
    before = signal.getsignal(signal.SIGUSR1)
    yield partial(signal.signal, signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("method", ["flush", "shutdown"])
def test_a_handler_does_not_wait_for_a_start_that_it_interrupted(method, on_signal, tracker_to):
    backend = Interrupted()
    tracker = tracker_to(backend)
    ended = []

    def handle(*_):
        tracker.emit("in the handler")
        with at_most(20):
            ended.append(getattr(tracker, method)(40))

    on_signal(handle)
    tracker.emit("interrupted")
    assert ended == [False]
    assert tracker.shutdown(DEADLINE)
    assert sorted(backend.got) == ["in the handler", "interrupted"]


class Gate(Mapping):
    """Data that are not read before they may be."""

    def __init__(self):
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __iter__(self):
        self.reached.set()
        assert self.opened.wait(DEADLINE)
        return iter(("n",))

    def __len__(self):
        return 1

    def __getitem__(self, _key):
        return 1


def at_return_of(function, call):
    """Call a function as another one returns in this thread."""

    def look(frame, kind, _argument):
        if kind == "return" and frame.f_code is function.__code__:
            sys.setprofile(None)
            call()

    sys.setprofile(look)


def test_an_event_stored_after_the_end_is_dropped_though_the_start_of_the_worker_goes_on(
    tracker_to, sink
):
    started, shut_down = threading.Event(), threading.Event()
    backend = sink()
    tracker = tracker_to(backend)
    late = Gate()

    def emit_first():
        def wait():
            started.set()
            assert shut_down.wait(DEADLINE)

        at_return_of(threading.Thread.start, wait)
        tracker.emit("first", {"n": 0})

    first = threading.Thread(target=emit_first)
    first.start()
    assert started.wait(DEADLINE)
    second = threading.Thread(target=tracker.emit, args=("late", {"gate": late}))
    second.start()
    assert late.reached.wait(DEADLINE)
    tracker.shutdown(5)
    shut_down.set()
    first.join()
    late.opened.set()
    second.join()
    assert backend.delivered == [0]
    leaf = tracker.leaf()
    assert (leaf["dropped"], leaf["pending"]) == ({"shutdown": 1}, 0)
