"""P26: any number of threads configure, under load and while importing; nothing is lost."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from time import monotonic

import pytest
import waiting
from waiting import DEADLINE

import eventtracking_core as et

pytestmark = pytest.mark.native

THREADS = 8
EMITTERS = 4
EVENTS = 5_000


class Sink:
    """Counts what it is given, and is shut down once."""

    def __init__(self, everything):
        self._everything = everything
        self.ended = 0

    def send(self, event):
        assert not self.ended
        self._everything.append(event["id"])

    def shutdown(self, timeout):
        self.ended += 1
        return True


def in_threads(*calls):
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()


def workers():
    return [each for each in threading.enumerate() if each.name.startswith("eventtracking-storm")]


@pytest.fixture
def switching_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["inline", "queue"])
def test_a_storm_of_configurations_loses_nothing_and_leaves_no_worker(mode, switching_often):
    tracker, sinks, emitted = et.Tracker(), [], [[] for _ in range(EMITTERS)]
    # Two sinks: an event is in both, of one tree; not in the first of one and both of the next.
    arrived = {"storm1": [], "storm2": []}
    done = threading.Event()

    def configure():
        made = {name: Sink(everything) for name, everything in arrived.items()}
        sinks.extend(made.values())
        backends = {"r": {"delivery": mode, "backends": made}}
        tracker.configure({"shutdown_timeout": DEADLINE, "backends": backends})

    def configure_on():
        while not done.is_set():
            configure()

    def emit(ids):
        for _ in range(EVENTS // EMITTERS):
            ids.append(tracker.emit("storm"))

    configure()
    storm = [threading.Thread(target=configure_on) for _ in range(THREADS)]
    for thread in storm:
        thread.start()
    in_threads(*(lambda ids=ids: emit(ids) for ids in emitted))
    done.set()
    for thread in storm:
        thread.join(DEADLINE)
    assert tracker.shutdown(DEADLINE)

    everything = sorted(event_id for ids in emitted for event_id in ids)
    assert len(everything) == EVENTS
    assert sorted(arrived["storm1"]) == everything
    assert sorted(arrived["storm2"]) == everything
    assert {sink.ended for sink in sinks} == {1}
    deadline = monotonic() + DEADLINE
    while workers():
        assert monotonic() < deadline


@pytest.mark.slow
def test_a_backend_that_is_taken_out_under_load_gets_each_event_until_then(tracker, memory):
    done = threading.Event()

    def emit():
        while not done.is_set():
            tracker.emit("storm")

    emitting = threading.Thread(target=emit)
    emitting.start()
    for _ in range(20):
        everything = []
        queued = {"delivery": "queue", "backends": {"storm": Sink(everything)}}
        tracker.configure({"backends": {"m": memory, "r": queued}})
        router = tracker.root.backends["r"]
        leaf = router.children["storm"]
        deadline = monotonic() + DEADLINE
        while not leaf.ledger.accepted.value:
            assert monotonic() < deadline
        router.unregister_backend("storm")
        while leaf.ledger.pending():
            assert monotonic() < deadline
        assert leaf.ledger.dropped_by_reason() == {}
        assert len(everything) == leaf.ledger.accepted.value
    done.set()
    emitting.join()


SHOPS = {
    "a class of its own": ("shop.py", "shop:Sink"),
    "a class of a module below it": ("shop/__init__.py", "shop.below:Sink"),
    "a class of a module that imports it": ("shop.py", "counter:Sink"),
}


@pytest.mark.parametrize(("path", "name"), SHOPS.values(), ids=list(SHOPS))
def test_a_module_may_configure_while_it_is_imported(path, name, tmp_path):
    sink = "class Sink:\n    def send(self, event): pass\n"
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(
        f"import eventtracking_core as et\n{sink}"
        f"et.configure({{'backends': {{'a': {{'type': {name!r}}}}}}})\n"
    )
    if "/" in path:
        (tmp_path / "shop" / "below.py").write_text(sink)
    (tmp_path / "counter.py").write_text(f"import shop\n{sink}")
    program = "from waiting import at_most\nwith at_most(8): import shop"
    subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60,
        env=os.environ | {"PYTHONPATH": str(Path(waiting.__file__).parent)},
    )  # fmt: skip


def test_a_configuration_that_is_interrupted_leaves_a_tracker_that_works(tracker, memory):
    class Interrupted(Sink):
        def shutdown(self, timeout):
            super().shutdown(timeout)
            if self.ended == 1:
                raise KeyboardInterrupt
            return True

    old = Interrupted([])
    tracker.configure({"backends": {"a": old}})
    tracker.emit("before")
    with pytest.raises(KeyboardInterrupt):
        tracker.configure({"backends": {"a": memory}})
    tracker.emit("after")

    assert [event["name"] for event in memory.events] == ["after"]


class Plain:
    """A backend that refers to its tracker."""

    def __init__(self, tracker):
        self.tracker = tracker

    def send(self, event):
        pass


def test_a_tracker_that_nobody_refers_to_is_collected():
    redact = {"type": "redact", "fields": ["context.ip"]}
    trackers = []
    for metrics in (True, False):
        tracker = et.Tracker()
        tracker.configure(
            {
                "telemetry": {"metrics": metrics},
                "processors": [redact],
                "backends": {"a": Plain(tracker), "b": "null"},
            }
        )
        tracker.register("a.b", "Something happened.")
        tracker.emit("a.b")
        trackers.append(weakref.ref(tracker))
    del tracker
    gc.collect()

    assert [ref() for ref in trackers] == [None, None]
