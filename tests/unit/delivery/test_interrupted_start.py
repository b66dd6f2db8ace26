"""A signal handler that interrupts a backend as it starts."""

from __future__ import annotations

import signal
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
