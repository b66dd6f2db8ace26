"""P30: gevent and eventlet, whenever they replace the threads of a program."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.once

PROGRAM = """
    import sys
    import eventtracking_core as et

    library, moment, mode = sys.argv[1:4]

    def patch(now):
        if now != moment:
            return
        if library == "gevent":
            from gevent import monkey
            monkey.patch_all()
        else:
            import eventlet
            eventlet.monkey_patch()

    patch("imported")
    delivery = {"mode": mode, "directory": "spool", "schedule_delay": 0.05, "fsync_interval": 0.01}
    backend = {"type": "file", "path": "events.ndjson", "delivery": delivery}
    et.configure({"shutdown_timeout": 60, "backends": {"sink": backend}})
    patch("configured")
    et.emit("first")
    patch("emitted")
    import time

    for _ in range(20):
        et.emit("request")
        began = time.monotonic()
        time.sleep(0.01)
        assert time.monotonic() - began < 30, "other greenlets stand still"
    assert et.get_tracker().flush(60)
    deadline = time.monotonic() + 60
    et.emit("late")
    while '"late"' not in open("events.ndjson").read():
        assert time.monotonic() < deadline, "the worker stands still"
        time.sleep(0.01)
    et.emit("last")
"""


@pytest.mark.parametrize("mode", ["queue", "spool"])
@pytest.mark.parametrize("moment", ["imported", "configured", "emitted"])
@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_events_are_delivered_and_nothing_stands_still(library, moment, mode, program, names):
    program(PROGRAM, library, moment, mode)
    assert names() == {"first": 1, "request": 20, "late": 1, "last": 1}


CONTENDED = """
    import logging, sys
    import eventtracking_core as et

    library, kind, mode = sys.argv[1:4]
    logging.basicConfig(filename="application.log", level=logging.INFO)
    delivery = {"mode": mode, "directory": "spool", "schedule_delay": 0, "fsync_interval": 0.001}
    sink = {"name": "events"} if kind == "logger" else {"path": "events"}
    et.configure({
        "shutdown_timeout": 60,
        "backends": {"sink": {"type": kind, **sink, "delivery": delivery}},
    })
    for _ in range(300):
        et.emit("before")
    if library == "gevent":
        import gevent.monkey
        gevent.monkey.patch_all()
        spawn, join = gevent.spawn, gevent.Greenlet.join
    else:
        import eventlet
        eventlet.monkey_patch()
        spawn, join = eventlet.spawn, lambda greenlet: greenlet.wait()

    def work():
        for number in range(500):
            et.emit("request")
            logging.getLogger("application").info("a request")

    for greenlet in [spawn(work) for _ in range(3)]:
        join(greenlet)
    assert et.get_tracker().flush(60)
    node = et.get_tracker().stats()["tree"]["backends"][0]
    assert (node["delivered"], node["pending"]) == (1_800, 0), node
"""


@pytest.mark.parametrize("mode", ["queue", "spool"])
@pytest.mark.parametrize("kind", ["file", "sqlite", "logger"])
@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_a_patch_while_events_are_delivered_stops_neither_side(library, kind, mode, program):
    program(CONTENDED, library, kind, mode)


BUSY = """
    import sys, threading
    import eventtracking_core as et

    class Sink:
        def __init__(self):
            self.threads = []
            self.reached, self.released, self.continues = map(
                lambda _: threading.Semaphore(0), range(3)
            )

        def send_batch(self, events, *, timeout):
            self.threads.append(threading.get_native_id())
            if len(self.threads) == 1:
                self.reached.release()
                self.released.acquire()
            else:
                self.continues.release()

    sink, main = Sink(), threading.get_native_id()
    delivery = {"mode": "queue", "schedule_delay": 0, "max_batch_size": 10}
    router = {"backends": {"sink": sink}, "delivery": delivery}
    tracker = et.Tracker()
    tracker.configure({"shutdown_timeout": 60, "backends": {"r": router}})
    tracker.emit("first")
    sink.reached.acquire()
    for _ in range(100):
        tracker.emit("waits")
    if sys.argv[1] == "gevent":
        from gevent import monkey
        monkey.patch_all()
    else:
        import eventlet
        eventlet.monkey_patch()
    sink.released.release()
    assert not sink.continues.acquire(timeout=0.5), "the thread delivers one more batch"
    assert tracker.flush(60)
    assert set(sink.threads[1:]) == {main}, (main, sink.threads)
"""


@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_a_thread_that_has_much_to_deliver_lets_go_after_a_patch(library, program):
    program(BUSY, library)


ASYNC = """
    from gevent import monkey
    monkey.patch_all()

    import asyncio, os
    import eventtracking_core as et

    class Sink:
        def __init__(self):
            self.got = 0

        async def send_batch(self, events, *, timeout):
            await asyncio.sleep(0.05)
            self.got += len(events)

    sinks = {"a": Sink(), "b": Sink()}
    et.configure({"shutdown_timeout": 60, "backends": sinks})

    def emit_and_flush():
        et.emit("request")
        assert et.get_tracker().flush(60)

    for _ in range(2):
        et.emit("request")
        asyncio.run(asyncio.to_thread(emit_and_flush))
    child = os.fork()
    if child == 0:
        emit_and_flush()
        os._exit(sinks["a"].got - 4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    node = et.get_tracker().stats()["tree"]["backends"]
    assert [each["delivered"] for each in node] == [4, 4], node
"""


def test_event_loops_of_backends_and_of_the_application_run_side_by_side(program):
    program(ASYNC)


FLUSHING = """
    from gevent import monkey
    monkey.patch_all()
    import os, signal, time
    import gevent
    import eventtracking_core as et

    class Slow:
        calls = 0

        def send_batch(self, events, *, timeout):
            self.calls += 1
            time.sleep(0.3)

    slow = Slow()
    delivery = {"mode": "queue", "schedule_delay": 0}
    et.configure({"backends": {"a": {"backends": {"sink": slow}, "delivery": delivery}}})
    et.emit("in flight")
    while not slow.calls:
        time.sleep(0.01)
    et.emit("waits")
    flush = gevent.spawn(et.get_tracker().flush, 60)
    gevent.idle()
    child = os.fork()
    if child == 0:
        et.emit("of the child")
        os._exit(0 if et.get_tracker().flush(60) else 1)
    deadline = time.monotonic() + 60
    ended = 0
    while not ended and time.monotonic() < deadline:
        time.sleep(0.01)
        ended, status = os.waitpid(child, os.WNOHANG)
    if not ended:
        os.kill(child, signal.SIGKILL)
    assert ended and status == 0, "the child stands still"
    assert flush.get()
"""


def test_a_child_goes_on_where_a_greenlet_of_its_parent_flushes(program):
    program(FLUSHING)
