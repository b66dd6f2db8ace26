"""P37: systems that start no threads, or have no locks of files, such as WebAssembly."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.once

NO_THREADS = """
    import threading

    def start(self):
        raise RuntimeError("can't start new thread")

    threading.Thread.start = start
"""
NO_LOCKS = """
    import sys
    sys.modules["fcntl"] = None
"""
DELIVER = """
    import sqlite3
    import sys
    import eventtracking_core as et

    mode, end = sys.argv[1:3]
    delivery = {"mode": mode, "directory": "spool"} if mode != "inline" else mode
    file = {"type": "file", "path": "events.ndjson", "delivery": delivery}
    rotated = {"type": "file", "path": "rotated.ndjson", "max_size": 2000, "delivery": delivery}
    sqlite = {"type": "sqlite", "path": "events.db", "delivery": delivery}
    et.configure({"backends": {"sink": file, "rotated": rotated, "database": sqlite}})
    for _ in range(100):
        et.emit("a.b", {"n": 1})
    if end == "flush":
        assert et.get_tracker().flush(60)
        connection = sqlite3.connect("events.db")
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (100,)
        connection.close()
    if end == "shutdown":
        assert et.get_tracker().shutdown(60)
"""


@pytest.mark.parametrize("end", ["flush", "shutdown", "exit"])
@pytest.mark.parametrize("mode", ["inline", "queue", "spool"])
def test_without_threads_events_are_delivered(mode, end, program, names):
    program(NO_THREADS + DELIVER, mode, end)
    assert names() == {"a.b": 100}


def test_without_threads_ctrl_c_ends_a_flush(program):
    program(
        NO_THREADS
        + """
    import _thread
    import os
    import signal
    import time
    import eventtracking_core as et

    class Away:
        def send(self, event):
            _thread.start_new_thread(interrupt, ())
            raise et.RetryableError("away")

    def interrupt():
        sleeping = 0
        while sleeping < 5:
            time.sleep(0.01)
            state = open(f"/proc/{os.getpid()}/stat").read().rpartition(")")[2].split()[0]
            sleeping = sleeping + 1 if state == "S" else 0
        os.kill(os.getpid(), signal.SIGINT)

    delivery = {"mode": "queue", "initial_interval": 3600, "max_interval": 3600}
    et.configure({"shutdown_timeout": 0.1,
                  "backends": {"sink": {"type": "__main__:Away", "delivery": delivery}}})
    et.emit("a.b")
    try:
        et.get_tracker().flush(3600)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    else:
        raise AssertionError("it went on")
    """
    )


def test_without_threads_a_shutdown_ends_the_backoff_of_a_flush(program):
    program(
        NO_THREADS
        + """
    import _thread
    import eventtracking_core as et

    tried, ended = _thread.allocate_lock(), _thread.allocate_lock()
    tried.acquire()
    ended.acquire()

    attempts = []

    class AwayAtFirst:
        def send(self, event):
            attempts.append(event)
            if len(attempts) == 2:  # a flush tries again at once
                tried.release()
            if len(attempts) < 3:
                raise et.RetryableError("away")

    def flush():
        tracker.flush(3600)
        ended.release()

    delivery = {"mode": "queue", "initial_interval": 3600, "max_interval": 3600}
    et.configure({"backends": {"sink": {"type": "__main__:AwayAtFirst", "delivery": delivery}}})
    tracker = et.get_tracker()
    tracker.emit("a.b")
    _thread.start_new_thread(flush, ())
    assert tried.acquire(timeout=60)
    assert not ended.acquire(timeout=0.5)  # it backs off
    tracker.shutdown(0.1)
    assert ended.acquire(timeout=60)
    """
    )


def test_without_threads_a_flush_may_be_interrupted_while_it_backs_off(program):
    program(
        NO_THREADS
        + """
    import itertools, os, resource, sys
    import eventtracking_core as et

    class Interrupt(BaseException):
        pass

    class Away:
        def __init__(self, number):
            self.number, self.calls, self.writes, self.got = number, 0, 0, set()

        def send_batch(self, events, *, timeout):
            self.calls += 1
            if self.calls == 2:  # the disk has room again for what it refused
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
                sys.setprofile(self.count)
            if self.calls <= 2:
                raise et.RetryableError("away")
            self.got.update(event["name"] for event in events)

        def count(self, frame, kind, argument):
            self.number -= kind in {"call", "c_return"}
            self.writes += kind == "c_return" and argument is os.pwrite
            if self.number == 0:
                sys.setprofile(None)
                raise Interrupt
            if self.writes == 4:  # the head of the file, and each event
                sys.setprofile(None)

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for number in itertools.count(1, 5):
        sink = Away(number)
        delivery = {"mode": "spool", "directory": str(number), "initial_interval": 0.1}
        tracker = et.Tracker()
        tracker.configure({"backends": {"r": {"delivery": delivery, "backends": {"sink": sink}}}})
        resource.setrlimit(resource.RLIMIT_FSIZE, (8, limits[1]))
        for name in "abc":
            tracker.emit(name)
        try:
            tracker.flush(60)
        except BaseException:
            sys.setprofile(None)
        assert tracker.flush(60), number
        leaf = tracker.stats()["tree"]["backends"][0]["backends"][0]
        assert (leaf["pending"], sink.got) == (0, {"a", "b", "c"}), (number, leaf, sink.got)
        if sink.number > 0:
            break
    assert number > 100
    """
    )


@pytest.mark.parametrize("end", ["flush", "shutdown", "exit"])
@pytest.mark.parametrize("mode", ["inline", "queue"])
def test_without_locks_events_are_delivered(mode, end, program, names):
    program(NO_LOCKS + DELIVER, mode, end)
    assert names() == {"a.b": 100}


@pytest.mark.parametrize(
    "delivery", ['"spool"', '{"mode": "queue", "when_full": "spool"}'], ids=["mode", "when_full"]
)
def test_a_spool_without_locks_is_an_error_of_the_configuration(delivery, program):
    program(
        NO_LOCKS
        + f"""
    import eventtracking_core as et

    try:
        et.configure({{"backends": {{"sink": {{"type": "memory", "delivery": {delivery}}}}}}})
    except et.ConfigurationError as error:
        assert "this system does not have" in str(error), error
    else:
        raise AssertionError("nobody said so")
    """
    )


def test_a_dead_letter_is_kept_without_locks(program):
    program(
        NO_LOCKS
        + """
    import pathlib
    import eventtracking_core as et

    class Refusing:
        def send(self, event):
            raise et.RejectedError("no")

    delivery = {"mode": "queue", "directory": "spool"}
    sink = {"type": "__main__:Refusing", "delivery": delivery}
    et.configure({"backends": {"sink": sink}})
    et.emit("a.b")
    assert et.get_tracker().shutdown(60)
    assert list(pathlib.Path("spool").glob("*/dead/*.seg"))
    """
    )


def test_without_threads_a_failing_metadata_store_holds_nobody_up(program):
    program(
        NO_THREADS
        + """
    import time
    import eventtracking_core as et

    class Store:
        failures = 2
        saved = []

        def save_event_type(self, record):
            if self.failures:
                Store.failures -= 1
                raise OSError(5, "Input/output error")
            self.saved.append(record)

        def load_event_types(self):
            return self.saved

    began = time.monotonic()
    store = {"type": "__main__:Store"}
    et.configure({"backends": {"sink": {"type": "memory"}}, "metadata": store})
    tracker = et.get_tracker()
    tracker.register("a.b", "it happened")
    assert not tracker.flush(60)
    assert tracker.flush(60)
    assert len(Store.saved) == 1
    assert time.monotonic() - began < 30
    """
    )
