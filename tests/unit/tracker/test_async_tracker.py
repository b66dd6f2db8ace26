"""A tracker in an event loop: its end delivers what is queued, and blocks nothing."""

from __future__ import annotations

import asyncio
import threading

import pytest

import eventtracking_core as et

pytestmark = pytest.mark.native


class Gated:
    """Delivers once its gate is open."""

    def __init__(self):
        self.gate = threading.Event()
        self.got = []

    def send_batch(self, events, *, timeout):
        if not self.gate.wait(timeout):
            raise et.RetryableError("closed")
        self.got += [event["data"]["n"] for event in events]


@pytest.fixture
def gated():
    backend = Gated()
    yield backend
    backend.gate.set()


def tracker_of(backend, **options):
    tracker = et.Tracker()
    node = {"delivery": "queue", "backends": {"sink": backend}}
    tracker.configure({"backends": {"r": node}, **options})
    return tracker


def test_leaving_a_block_delivers_what_was_emitted_in_it(gated):
    async def main():
        async with tracker_of(gated) as tracker:
            for n in range(100):
                tracker.emit("numbered", {"n": n})
            # It can only open while the loop runs: the end of the block must not stop it.
            asyncio.get_running_loop().call_later(0.05, gated.gate.set)
        return tracker

    tracker = asyncio.run(main())
    assert gated.got == list(range(100))
    tracker.emit("late", {"n": 100})
    assert gated.got == list(range(100))


def test_an_error_in_the_block_passes_after_the_delivery(gated):
    gated.gate.set()

    async def main():
        async with tracker_of(gated) as tracker:
            tracker.emit("numbered", {"n": 1})
            raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(main())
    assert gated.got == [1]


def test_what_is_not_delivered_in_time_is_said(gated):
    tracker = tracker_of(gated)
    tracker.emit("numbered", {"n": 1})
    assert asyncio.run(tracker.ashutdown(0.05)) is False


def test_a_cancelled_end_goes_on(gated):
    tracker = tracker_of(gated)
    tracker.emit("numbered", {"n": 1})

    async def main():
        ending = asyncio.create_task(tracker.ashutdown(30))
        await asyncio.sleep(0)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
        gated.gate.set()

    asyncio.run(main())
    assert tracker.shutdown(60)
    assert gated.got == [1]
