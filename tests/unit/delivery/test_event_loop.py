"""Backends that speak asyncio: delivered, flushed, cancelled and killed as others are."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
import threading
from functools import partial

import pytest

import eventtracking_core as et
from eventtracking_core.config import build, connect, read
from eventtracking_core.delivery.event_loop import LoopBackend
from eventtracking_core.errors import BatchError, RetryableError

pytestmark = pytest.mark.native


class Sink:
    """Keeps what it gets, and where and when it was called."""

    def __init__(self):
        self.got = []
        self.loops = set()
        self.threads = set()
        self.calls = []

    def note(self):
        self.loops.add(id(asyncio.get_running_loop()))
        self.threads.add(threading.current_thread().name)

    async def send_batch(self, events, *, timeout):  # noqa: ASYNC109
        self.note()
        await asyncio.sleep(0)
        self.got += [event["data"]["n"] for event in events]

    async def flush(self, timeout):  # noqa: ASYNC109
        self.calls.append("flush")
        return True

    async def shutdown(self, timeout):  # noqa: ASYNC109
        self.note()
        self.calls.append("shutdown")
        return True


class PartlyAsync:
    """Sends as others do; the rest of it speaks asyncio."""

    def __init__(self):
        self.calls = []

    def send(self, event):
        self.calls.append("send")

    async def flush(self, timeout):  # noqa: ASYNC109
        self.calls.append("flush")
        return True

    async def shutdown(self, timeout):  # noqa: ASYNC109
        self.calls.append("shutdown")
        return True

    async def probe(self, timeout):  # noqa: ASYNC109
        return "the sink answers"


def test_a_backend_may_speak_asyncio_in_part():
    backend = PartlyAsync()
    pipeline = build(read({"backends": {"a": backend}}))
    assert [(probe.ok, probe.message) for probe in connect(pipeline.root, 5)] == [
        (True, "the sink answers")
    ]
    tracker = et.Tracker()
    tracker.configure({"backends": {"a": backend}})
    tracker.emit("a.b")
    assert tracker.flush(5)
    assert tracker.shutdown(5)
    assert backend.calls == ["send", "flush", "shutdown"]


def configured(backend, **delivery):
    tracker = et.Tracker()
    node = {"delivery": {"mode": "queue", **delivery}, "backends": {"a": backend}}
    tracker.configure({"backends": {"r": node}})
    return tracker


def leaf(tracker):
    return tracker.stats()["tree"]["backends"][0]["backends"][0]


def test_it_is_flushed_and_shut_down_by_who_waits_for_ever():
    sink = Sink()
    tracker = configured(sink)
    tracker.emit("e", {"n": 0})
    assert tracker.flush(math.inf)
    assert tracker.shutdown(math.inf)
    assert (sink.got, sink.calls) == ([0], ["flush", "shutdown"])


def test_batches_are_awaited_on_one_event_loop_of_the_worker():
    sink = Sink()
    tracker = configured(sink, max_batch_size=100)
    for n in range(500):
        tracker.emit("numbered", {"n": n})
    assert tracker.flush(60)
    assert sink.got == list(range(500))
    assert leaf(tracker)["delivered"] == 500
    assert tracker.shutdown(60)
    assert len(sink.loops) == 1
    assert threading.current_thread().name not in sink.threads
    assert sink.calls == ["flush", "shutdown"]


def test_its_delivery_is_a_queue_and_inline_is_refused():
    tracker = et.Tracker()
    tracker.configure({"backends": {"a": Sink()}})
    assert tracker.stats()["tree"]["backends"][0]["delivery"] == "queue"
    assert isinstance(tracker.get_backend("a"), Sink)
    tracker.shutdown(1)
    large = type("Large", (Sink,), {"default_delivery": {"max_batch_size": 10_000}})
    tracker.configure({"backends": {"a": large()}})
    assert tracker.root.leaves()[0].options.max_batch_size == 10_000
    tracker.shutdown(1)
    with pytest.raises(et.ConfigurationError, match=r"backends\.r\.backends\.a: .*async def"):
        configured(Sink(), mode="inline")


class OneByOne:
    def __init__(self):
        self.got = []

    async def send(self, event):
        self.got.append(event["data"]["n"])


def test_events_can_be_awaited_one_by_one():
    sink = OneByOne()
    tracker = configured(sink)
    for n in range(3):
        tracker.emit("numbered", {"n": n})
    assert tracker.shutdown(60)
    assert sink.got == [0, 1, 2]


def test_failures_are_those_of_the_coroutine(tmp_path):
    class Picky(Sink):
        async def send_batch(self, events, *, timeout):  # noqa: ASYNC109
            bad = [i for i, event in enumerate(events) if event["data"]["n"] == 3]
            await super().send_batch(
                [event for event in events if event["data"]["n"] != 3], timeout=timeout
            )
            if bad:
                raise BatchError({bad[0]: et.RejectedError("never")})

    sink = Picky()
    tracker = configured(sink, directory=str(tmp_path))
    for n in range(5):
        tracker.emit("numbered", {"n": n})
    assert tracker.flush(60)
    assert sorted(sink.got) == [0, 1, 2, 4]
    assert leaf(tracker)["dead_lettered"] == 1
    tracker.shutdown(5)


def test_a_coroutine_that_outlasts_its_timeout_is_cancelled_and_tried_again():
    class Slow(Sink):
        cancelled = 0

        async def send_batch(self, events, *, timeout):  # noqa: ASYNC109
            if not self.cancelled:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    self.cancelled += 1
                    raise
            await super().send_batch(events, timeout=timeout)

    sink = Slow()
    tracker = configured(sink, export_timeout=0.2, initial_interval=0.01)
    tracker.emit("numbered", {"n": 1})
    assert tracker.flush(60)
    assert (sink.cancelled, sink.got) == (1, [1])
    tracker.shutdown(5)


def test_a_flush_or_a_shutdown_that_outlasts_its_time_says_so_and_closes_the_loop():
    class Endless(Sink):
        async def flush(self, timeout):  # noqa: ASYNC109
            await asyncio.sleep(60)

        async def shutdown(self, timeout):  # noqa: ASYNC109
            self.loop = asyncio.get_running_loop()
            await asyncio.sleep(60)

    sink = Endless()
    backend = LoopBackend.of(sink)
    assert backend.flush(0.05) is False
    assert backend.shutdown(0.05) is False
    assert sink.loop.is_closed()


def test_flushing_from_a_running_event_loop_works():
    sink = Sink()
    tracker = configured(sink)

    async def main():
        tracker.emit("numbered", {"n": 1})
        return await tracker.aflush(60), tracker.flush(60)

    assert asyncio.run(main()) == (True, True)
    assert sink.got == [1]
    tracker.shutdown(5)


def test_a_forked_child_has_an_event_loop_of_its_own():
    sink = Sink()
    tracker = configured(sink)
    tracker.emit("numbered", {"n": 1})
    assert tracker.flush(60)
    child = os.fork()
    if child == 0:
        tracker.emit("numbered", {"n": 2})
        delivered = tracker.flush(60) and sink.got == [1, 2]
        os._exit(0 if delivered else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    tracker.emit("numbered", {"n": 3})
    assert tracker.shutdown(60)
    assert sink.got == [1, 3]


def test_a_backend_that_is_configured_again_is_not_shut_down():
    sink = Sink()
    tracker = configured(sink)
    tracker.emit("numbered", {"n": 1})
    config = {"backends": {"r": {"delivery": "queue", "backends": {"a": sink}}}}
    tracker.configure(config)
    tracker.emit("numbered", {"n": 2})
    assert tracker.shutdown(60)
    assert sink.got == [1, 2]
    assert sink.calls.count("shutdown") == 1


def test_a_partial_of_a_coroutine_function_is_awaited_too():
    got = []

    async def send(kept, event):
        kept.append(event["data"]["n"])

    backend = type("Backend", (), {})()
    backend.send = partial(send, got)
    tracker = configured(backend)
    tracker.emit("numbered", {"n": 1})
    assert tracker.shutdown(60)
    assert got == [1]


def test_a_provider_of_coroutines_is_refused():
    async def provide():
        return {}

    with pytest.raises(et.ConfigurationError, match=r"context.*async def"):
        et.Tracker().configure({"context": [provide]})


def test_an_error_that_may_pass_is_tried_again():
    class Flaky(Sink):
        failed = False

        async def send_batch(self, events, *, timeout):  # noqa: ASYNC109
            if not self.failed:
                self.failed = True
                raise RetryableError("away")
            await super().send_batch(events, timeout=timeout)

    sink = Flaky()
    tracker = configured(sink, initial_interval=0.01)
    tracker.emit("numbered", {"n": 1})
    assert tracker.flush(60)
    assert sink.got == [1]
    tracker.shutdown(5)


ENDS = """
import asyncio, sys
import eventtracking_core as et

class Sink:
    async def send_batch(self, events, *, timeout):
        loop = asyncio.get_running_loop()
        assert await loop.getaddrinfo("localhost", 80)
        await asyncio.to_thread(print, *[event["data"]["n"] for event in events], flush=True)

delivery = {"mode": "queue", "directory": sys.argv[1], "schedule_delay": 60}
tracker = et.Tracker()
tracker.configure({"backends": {"r": {"delivery": delivery, "backends": {"a": Sink()}}}})
for n in range(3):
    tracker.emit("numbered", {"n": n})
"""


def test_a_backend_looks_up_hosts_and_calls_threads_while_the_interpreter_ends(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ENDS, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 1 2\n", "")
