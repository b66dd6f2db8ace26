"""Backends of a third party whose children run elsewhere, through `CompositeBackend`."""

from __future__ import annotations

from collections import deque

import pytest

import eventtracking_core as et
from eventtracking_core.plugins import plugins
from eventtracking_core.routing import InlineLeaf, RoutingBackend


class Parcels:
    """Holds events until `deliver` is called, then delivers them to the children."""

    def __init__(self, limit: int = 10) -> None:
        if limit < 1:
            raise ValueError("limit must be positive")
        self.events = deque(maxlen=limit)

    @staticmethod
    def build_leaf(backend, place, delivery):
        if delivery["mode"] != "inline":
            raise ValueError("these backends are called when the parcel arrives")
        leaf = InlineLeaf(place.name, backend, type_name=place.type_name)
        leaf.path = place.path
        return leaf

    def build_node(self, parts):
        if parts.tracker is None:
            raise ValueError("the tracker needs a name")
        if parts.tracker == "unready":
            raise RuntimeError("a framework that is not set up")
        node = RoutingBackend()
        for processor in parts.processors:
            node.register_processor(processor)
        self.address = f"{parts.tracker}/{parts.path}"
        self.children = parts.children
        node.register_backend("parcels", parts.make_leaf("parcels", self))
        return node

    def send(self, event):
        self.events.append(event)

    def deliver(self):
        while self.events:
            self.children.send(self.events.popleft())


@pytest.fixture(autouse=True)
def parcels_plugin():
    class Plugin:
        @et.hookimpl
        def eventtracking_backends(self):
            return {"parcels": Parcels}

    et.register_plugin(Plugin(), "parcels")
    yield
    plugins.unregister("parcels")


def configured(node, name="default"):
    tracker = et.Tracker(name=name)
    tracker.configure({"backends": {"far": node}})
    return tracker


def problems(node, name="default"):
    with pytest.raises(et.ConfigurationError) as caught:
        configured(node, name)
    return {problem.path: problem.message for problem in caught.value.problems}


def test_the_node_runs_its_processors_here_and_its_children_when_it_says():
    here, there = adding("here"), adding("there")
    tracker = configured(
        {
            "type": "parcels",
            "processors": [here],
            "backends": {"inner": {"processors": [there], "backends": {"store": "memory"}}},
        }
    )
    tracker.emit("e")
    parcels = tracker.get_backend("far").backends["parcels"]
    assert parcels.address == "default/far"
    assert [event["data"] for event in parcels.events] == [{"here": 1}]
    [leaf] = parcels.children.leaves()
    assert (leaf.path, leaf.backend.events) == ("far.inner.store", [])
    parcels.deliver()
    assert [event["data"] for event in leaf.backend.events] == [{"here": 1, "there": 1}]


def adding(key):
    def add(event):
        return {**event, "data": {**event["data"], key: 1}}

    add.mutates = False
    return add


def test_mistakes_in_the_node_and_below_it_are_all_reported():
    children = {
        "a": {"type": "memory", "delivery": "queue"},
        "b": "mogno",
        "c": {"type": "parcels"},
    }
    found = problems({"type": "parcels", "limit": 0, "backends": children})
    assert list(found) == [
        "backends.far.limit",
        "backends.far.backends.a.delivery",
        "backends.far.backends.b.type",
        "backends.far.backends.c.backends",
    ]
    assert "when the parcel arrives" in found["backends.far.backends.a.delivery"]


def test_the_delivery_of_the_node_is_not_that_of_its_children():
    node = {"type": "parcels", "delivery": "queue", "backends": {"a": "memory"}}
    tracker = configured(node)
    [leaf] = tracker.root.leaves()
    assert (leaf.mode, leaf.path) == ("queue", "far")
    tracker.shutdown()


def test_a_node_may_refuse_the_tracker():
    node = {"type": "parcels", "backends": {"a": "memory"}}
    assert problems(node, None) == {"backends.far": "the tracker needs a name"}


def test_whatever_a_node_raises_is_a_problem_of_the_configuration():
    node = {"type": "parcels", "backends": {"a": "memory"}}
    assert "RuntimeError" in problems(node, "unready")["backends.far"]


def test_an_instance_must_be_a_table():
    assert "must be a table" in problems(Parcels())["backends.far"]
