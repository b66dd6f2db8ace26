"""Celery's eager mode: events are delivered in the process that emits them."""

from __future__ import annotations

import subprocess
import sys
import types

import celery
import pytest

import eventtracking_core as et
from eventtracking_async_router.leaf import RemoteLeaf

QUICK = {"schedule_delay": 0.01, "initial_interval": 0.001, "max_interval": 0.01}


class Sink:
    """Keeps numbers, after it has failed as often as it is told."""

    def __init__(self, failures=0, error=et.RetryableError):
        self.failures = failures
        self.error = error
        self.numbers = []

    def send_batch(self, events, *, timeout):
        if self.failures:
            self.failures -= 1
            raise self.error("away")
        self.numbers += [event["data"]["n"] for event in events]


@pytest.fixture
def tracker(monkeypatch, tmp_path):
    app = celery.Celery("eager", broker="redis://127.0.0.1:1", set_as_current=False)
    app.conf.task_always_eager = True
    monkeypatch.setitem(sys.modules, "eager_project", types.SimpleNamespace(app=app))
    monkeypatch.setenv("EVENTTRACKING_SPOOL_DIRECTORY", str(tmp_path))
    made = et.Tracker()
    et.register_tracker(made, "eager")
    yield made
    made.shutdown(2)


def node(children, **options):
    delivery = QUICK | options.pop("delivery", {})
    options = {"type": "async_router", "app": "eager_project:app"} | options
    return options | {"delivery": delivery, "backends": children}


def emit(tracker, *numbers):
    for n in numbers:
        tracker.emit("numbered", {"n": n})


def test_events_are_delivered_in_place(tracker):
    sink, inner = Sink(), Sink()
    below = {"processors": [{"type": "rename", "names": {"numbered": "renamed"}}]}
    children = {
        "store": sink,
        "router": below | {"backends": {"seen": "memory", "again": node({"inner": inner})}},
    }
    tracker.configure({"backends": {"node": node(children)}})
    emit(tracker, 1, 2, 3)
    assert tracker.flush(60)
    assert sink.numbers == inner.numbers == [1, 2, 3]
    leaves = {leaf.name: leaf for leaf in tracker.root.leaves()}
    assert [event["name"] for event in leaves["seen"].backend.events] == ["renamed"] * 3
    assert leaves["store"].stats()["delivered"] == 3


@pytest.mark.parametrize("mode", ["queue", "spool"])
def test_a_shutdown_delivers_what_waits(tracker, mode, tmp_path):
    sink = Sink()
    delivery = {"mode": mode, "schedule_delay": 60, "directory": str(tmp_path)}
    tracker.configure({"backends": {"node": node({"store": sink}, delivery=delivery)}})
    emit(tracker, *range(100))
    assert tracker.shutdown(60)
    assert sink.numbers == list(range(100))


def test_a_new_configuration_delivers_what_the_old_one_took(tracker):
    old, new = Sink(), Sink()
    patient = {"schedule_delay": 60}
    tracker.configure({"backends": {"old": node({"store": old}, delivery=patient)}})
    emit(tracker, 1, 2)
    tracker.configure({"backends": {"new": node({"store": new})}})
    emit(tracker, 3)
    assert tracker.flush(60)
    assert (old.numbers, new.numbers) == ([1, 2], [3])


def test_a_backend_that_fails_is_retried(tracker):
    good, bad = Sink(), Sink(failures=3)
    tracker.configure({"backends": {"node": node({"good": good, "bad": bad})}})
    emit(tracker, *range(10))
    assert tracker.flush(60)
    assert bad.numbers == list(range(10))
    assert good.numbers == list(range(10))


def test_a_backend_that_stays_away_keeps_the_events_waiting_before_the_node(tracker):
    bad = Sink(failures=10**6)
    children = {"delivery": QUICK | {"max_interval": 0.05}, "backends": {"bad": bad}}
    delivery = {"export_timeout": 0.2}
    tracker.configure({"backends": {"node": node({"r": children}, delivery=delivery)}})
    emit(tracker, 1, 2)
    assert not tracker.flush(1)
    [published] = tracker.stats()["tree"]["backends"][0]["backends"]
    assert (published["delivered"], published["pending"]) == (0, 2)
    bad.failures = 0
    assert tracker.flush(60)
    assert bad.numbers == [1, 2]


def test_an_event_that_a_backend_rejects_is_a_dead_letter(tracker):
    tracker.configure({"backends": {"node": node({"store": Sink(1, et.RejectedError)})}})
    emit(tracker, 1)
    assert tracker.flush(60)
    [leaf] = [leaf for leaf in tracker.root.leaves() if isinstance(leaf, RemoteLeaf)]
    assert [letter.reason for letter in leaf.dead_letters.letters()] == ["rejected"]


PROGRAM = """
import sys, types
from celery import Celery

app = Celery("proj", broker="memory://")
app.conf.task_always_eager = True
if {is_named}:
    sys.modules["projmod"] = types.SimpleNamespace(app=app)
else:
    app.set_current()
import eventtracking_core as et

store = {{"type": "file", "path": "events.ndjson"}}
node = {{"type": "async_router", "backends": {{"store": store}}}} | {options}
et.configure({{"backends": {{"node": node}}}})
for n in range(100):
    et.emit("numbered", {{"n": n}})
"""


@pytest.mark.parametrize(
    "options",
    [{"app": "projmod:app"}, {}, {"app": "projmod:app", "delivery": "inline"}],
    ids=["named", "current", "inline"],
)
def test_a_program_that_just_ends_has_stored_its_events(tmp_path, options):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(is_named="app" in options, options=options)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert len((tmp_path / "events.ndjson").read_text().splitlines()) == 100
