"""An event is encoded once for the leaves that store it, and never for one that stores another."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.encoding import NormalBatch, normal_from_msgpack
from eventtracking_core.processors.name_allowlist import NameAllowlist
from eventtracking_core.processors.redact import Redact

pytestmark = pytest.mark.native


class Read(Mapping):
    """Counts how often an encoder reads it."""

    def __init__(self):
        self.reads = 0

    def __getitem__(self, key):
        self.reads += 1
        return 1

    def __iter__(self):
        return iter(["a"])

    def __len__(self):
        return 1


class Vandal:
    """A backend that breaks the rule, and changes events."""

    def send(self, event):
        event["data"]["n"] = "changed"


def passes(event):
    """Look at an event."""


passes.mutates = False


def changes(event):
    event["data"]["n"] += 1


def adds(event):
    return {**event, "data": {**event["data"], "more": True}}


adds.mutates = False


def doubles(event):
    return [{}, {"data": {"n": -event["data"]["n"]}}]


def drops(event):
    raise et.EventEmissionExit


def changes_unannounced(event):
    event["data"]["n"] = "changed"


changes_unannounced.mutates = False

ALLOWED = NameAllowlist(["name"])
PROCESSORS = [ALLOWED, passes, changes, adds, doubles, drops, Redact(["data.n"])]


@pytest.fixture
def stored(tmp_path):
    """Emits one event into a tree; returns what each of its memories got, in their order."""
    trackers = []

    def emit(backends, data):
        tracker = et.Tracker()
        trackers.append(tracker)
        tracker.configure({"backends": backends})
        tracker.emit("name", data)
        assert tracker.flush(30)

    def leaf(mode="queue"):
        memory = MemoryBackend()
        directory = str(tmp_path / str(id(memory)))
        return memory, {
            "delivery": {"mode": mode, "directory": directory, "schedule_delay": 0},
            "backends": {"sink": memory},
        }

    emit.leaf = leaf
    yield emit
    for tracker in trackers:
        tracker.shutdown(10)


def router(backends, *processors):
    return {"processors": list(processors), "backends": backends}


@pytest.mark.parametrize("modes", [["queue"] * 3, ["spool"] * 2, ["queue", "spool", "queue"]])
@pytest.mark.parametrize("processors", [[], [ALLOWED], [ALLOWED, ALLOWED]])
def test_leaves_that_store_the_same_event_have_it_encoded_once(modes, processors, stored):
    value = Read()
    made = [stored.leaf(mode) for mode in modes]
    nested = {f"n{n}": router({"leaf": leaf}, *processors) for n, (_, leaf) in enumerate(made)}
    stored(nested, {"value": value})
    assert value.reads == 1
    assert [memory.events[0]["data"] for memory, _ in made] == [{"value": {"a": 1}}] * len(modes)


def test_a_leaf_whose_processors_changed_the_event_stores_its_own(stored):
    value = Read()
    (first, a), (other, b), (last, c) = stored.leaf(), stored.leaf(), stored.leaf()
    stored({"a": a, "b": router({"leaf": b}, adds), "c": c}, {"value": value, "n": 1})
    assert value.reads == 2
    assert first.events[0]["data"] == last.events[0]["data"] == {"value": {"a": 1}, "n": 1}
    assert other.events[0]["data"] == {"value": {"a": 1}, "n": 1, "more": True}


def test_a_backend_that_changes_an_event_changes_nothing_that_is_stored(stored):
    (first, a), (last, c) = stored.leaf(), stored.leaf()
    stored({"a": a, "b": Vandal(), "c": c}, {"n": 1})
    assert first.events[0]["data"] == last.events[0]["data"] == {"n": 1}


def test_a_processor_that_hides_that_it_changes_events_changes_what_is_stored(stored):
    """It may be one that removes what must not be stored."""
    (first, a), (other, b) = stored.leaf(), stored.leaf()
    stored({"a": a, "b": router({"leaf": b}, changes_unannounced)}, {"n": 1})
    assert first.events[0]["data"] == {"n": 1}
    assert other.events[0]["data"] == {"n": "changed"}


@given(
    tree=st.recursive(
        st.just("leaf"),
        lambda below: st.tuples(
            st.lists(st.sampled_from(PROCESSORS), max_size=2), st.lists(below, max_size=3)
        ),
        max_leaves=6,
    )
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_in_any_tree_a_leaf_stores_what_an_inline_one_beside_it_gets(tree, stored):
    pairs = []

    def built(node):
        if node == "leaf":
            (inline, (queued, leaf)) = MemoryBackend(), stored.leaf()
            pairs.append((inline, queued))
            return router({"inline": inline, "queued": leaf})
        processors, children = node
        return router({f"n{n}": built(each) for n, each in enumerate(children)}, *processors)

    stored({"tree": built(tree)}, {"n": 1})
    for inline, queued in pairs:
        assert queued.events == inline.events


@pytest.mark.parametrize(("reads", "kind"), [(False, NormalBatch), (True, list)])
def test_a_batch_is_normal_unless_its_backend_decodes_events_itself(reads, kind, tracker_to):
    batches = []
    backend = SimpleNamespace(send_batch=lambda events, *, timeout: batches.append(type(events)))
    if reads:
        backend.read_wire = normal_from_msgpack
    tracker = tracker_to(backend)
    tracker.emit("a")
    assert tracker.shutdown(30)
    assert batches == [kind]
