"""Events cross a real broker, and reach every backend in a worker."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager

import celery.app
import pytest
from celery import Celery
from waiting import DEADLINE, exit_code, wait_until

import eventtracking.tracker as et
from eventtracking.backends.async_routing import AsyncRoutingBackend
from eventtracking.backends.routing import RoutingBackend


class Sink:
    """Fails as often as told, then keeps what it gets."""

    def __init__(self, failures=0):
        self.failures = failures
        self.events = []

    def send(self, event):
        if self.failures:
            self.failures -= 1
            raise OSError("gone")
        self.events.append(event)


@pytest.fixture
def app():
    before, default = celery.app.app_or_default(), et.get_tracker()
    made = Celery("compat", broker="memory://")
    made.set_current()
    yield made
    et.register_tracker(default)
    before.set_current()


def work(app, count=100):
    """Run the published tasks, and what they retry, without waiting."""
    done = 0
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("celery")
        while len(queue) and done < count:
            message = queue.get(block=False)
            message.ack()
            headers = message.headers
            task = app.tasks[headers["task"]]
            task.apply(
                args=message.payload[0],
                task_id=headers["id"],
                retries=headers["retries"],
                headers={k: v for k, v in headers.items() if k.startswith("eventtracking")},
                throw=False,
            )
            done += 1
        queue.close()
    return done


def track(**backends):
    tracker = et.Tracker(backends)
    et.register_tracker(tracker)
    return tracker


def test_an_event_is_routed_in_a_worker(app):
    sink = Sink()
    tracker = track(name=AsyncRoutingBackend(backend_name="name", backends={"sink": sink}))
    with tracker.context("request", {"user_id": 1}):
        tracker.emit("x", {"a": 1})
    assert tracker.flush(60)
    assert work(app) == 1
    assert [(e["name"], e["data"], e["context"]) for e in sink.events] == [
        ("x", {"a": 1}, {"user_id": 1})
    ]
    assert set(sink.events[0]) == {"name", "timestamp", "data", "context"}


def test_a_backend_that_fails_gets_the_event_again_and_the_others_do_not(app):
    good, bad = Sink(), Sink(failures=2)
    router = AsyncRoutingBackend(backend_name="name", backends={"good": good, "bad": bad})
    tracker = track(name=router)
    tracker.emit("x", {"a": 1})
    assert tracker.flush(60)
    work(app)
    assert [event["data"] for event in good.events] == [{"a": 1}]
    assert [event["data"] for event in bad.events] == [{"a": 1}]


def test_a_backend_below_another_one_and_of_another_tracker_is_found(app):
    deep, named = Sink(), Sink()
    inner = AsyncRoutingBackend(backend_name="outer.inner", backends={"sink": deep})
    other = AsyncRoutingBackend(backend_name="named", backends={"sink": named})
    tracker = track(outer=RoutingBackend({"inner": inner}))
    et.register_tracker(et.Tracker({"named": other}), "second")
    tracker.emit("x")
    et.get_tracker("second").emit("y")
    assert tracker.flush(60)
    assert et.get_tracker("second").flush(60)
    work(app)
    assert [event["name"] for event in deep.events] == ["x"]
    assert [event["name"] for event in named.events] == ["y"]
    del et.TRACKERS["second"]


def test_values_that_the_message_cannot_hold_arrive_in_plain_form(app):
    sink = Sink()
    tracker = track(name=AsyncRoutingBackend(backend_name="name", backends={"sink": sink}))
    tracker.emit("x", {"set": {1}, "object": object})
    assert tracker.flush(60)
    work(app)
    assert sink.events[0]["data"]["set"] == [1]


def test_the_events_of_a_list_arrive_as_the_list(app):
    sink = Sink()
    router = AsyncRoutingBackend(
        backend_name="name", backends={"sink": sink}, processors=[lambda e: [{"n": 1}, {"n": 2}]]
    )
    tracker = track(name=router)
    tracker.emit("x")
    assert tracker.flush(60)
    work(app)
    assert sink.events in ([{"n": 1}, {"n": 2}], [[{"n": 1}, {"n": 2}]])


WORKER_MODULE = """
import json, os, sys
from celery import Celery
import eventtracking.tracker as et
from eventtracking.backends.async_routing import AsyncRoutingBackend

app = Celery("module", broker=os.environ["BROKER"])
app.conf.broker_connection_retry_on_startup = True
app.set_default()

class File:
    def send(self, event):
        with open(os.environ["OUT"], "a") as file:
            file.write(json.dumps(event["data"]) + "\\n")

et.register_tracker(et.Tracker({
    "name": AsyncRoutingBackend(
        backend_name="name",
        backends={"file": File()},
        delivery={"mode": "queue", "initial_interval": 0.1, "max_interval": 0.5},
    ),
}))
"""


@contextmanager
def running(module_directory, environ):
    command = [sys.executable, "-m", "celery", "-A", "worker_module", "worker", "-c", "1"]
    log = module_directory / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=module_directory,
            env={**environ, "PYTHONFAULTHANDLER": "1"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            exit_code(process, log)


def test_a_broker_that_is_gone_neither_blocks_nor_loses(valkey, tmp_path):
    out = tmp_path / "out"
    (tmp_path / "worker_module.py").write_text(WORKER_MODULE)
    environ = {**os.environ, "BROKER": valkey.url, "OUT": str(out)}
    program = """
import sys, time, worker_module as module
tracker = module.et.get_tracker()
begin = time.monotonic()
for n in range(20):
    tracker.emit("x", {"n": n})
assert time.monotonic() - begin < 30, "emit was blocked"
print("emitted", flush=True)
sys.exit(0 if tracker.flush(60) else 1)
"""
    valkey.kill()
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE) as emitter:
        assert emitter.stdout.readline() == b"emitted\n"
        valkey.start()
        assert emitter.wait(DEADLINE) == 0
    with running(tmp_path, environ):
        wait_until(lambda: out.exists() and len(out.read_text().splitlines()) >= 20)
    assert sorted(out.read_text().splitlines()) == sorted(f'{{"n": {n}}}' for n in range(20))
