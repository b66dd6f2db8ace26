"""The shape of the tree: its order, and how it grows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend


@pytest.fixture
def called():
    return []


@pytest.fixture
def telling(called):
    """Makes backends and processors that tell that they were called."""

    class Telling:
        def __init__(self, name):
            self.name = name

        def send(self, event):
            called.append(self.name)

        def __call__(self, event):
            called.append(self.name)

    return Telling


def test_processors_run_in_their_order_then_backends_in_that_of_their_names(
    telling, called, an_event
):
    backends = {name: telling(name) for name in ("b", "c", "a")}
    et.RoutingBackend(backends, map(telling, "yxz")).send(an_event())

    assert called == [*"yxz", *"abc"]


def test_a_configuration_keeps_its_own_order(tracker, telling, called):
    tracker.configure(
        {
            "processors": [telling("2"), telling("1")],
            "backends": {name: telling(name) for name in ("b", "c", "a")},
        }
    )
    tracker.emit("name")

    assert called == [*"21", *"bca"]


def test_what_is_registered_later_comes_after(telling, called, an_event):
    router = et.RoutingBackend({"b": telling("b")}, [telling("1")])
    router.register_backend("a", telling("a"))
    router.register_processor(telling("0"))
    router.send(an_event())

    assert called == [*"10", *"ba"]


def test_routers_nest_to_any_depth_and_keep_the_order(telling, called, an_event):
    inner = et.RoutingBackend({"b": telling("b"), "c": telling("c")}, [telling("inner")])
    plain = et.RoutingBackend({"x": et.RoutingBackend({"inner": inner}), "y": telling("d")})
    et.RoutingBackend({"1": telling("a"), "2": plain, "3": telling("e")}).send(an_event())

    assert called == ["a", "inner", "b", "c", "d", "e"]


def test_a_router_below_a_hundred_others_is_reached(memory, an_event):
    router = et.RoutingBackend({"memory": memory})
    for _ in range(100):
        router = et.RoutingBackend({"router": router})
    router.send(an_event())

    assert len(memory.events) == 1


@pytest.mark.parametrize("with_processor", [True, False])
def test_what_is_registered_in_a_nested_router_takes_effect_at_once(with_processor, memory):
    inner = et.RoutingBackend(processors=[lambda _: None] if with_processor else [])
    tracker = et.Tracker({"a": et.RoutingBackend({"b": et.RoutingBackend({"c": inner})})})
    tracker.emit("nowhere")
    inner.register_backend("memory", memory)
    tracker.emit("there")
    inner.register_processor(lambda event: {**event, "name": f"{event['name']}, changed"})
    tracker.emit("there")

    assert [event["name"] for event in memory.events] == ["there", "there, changed"]


def test_a_router_in_two_trees_is_compiled_anew_in_both(memory):
    shared = et.RoutingBackend()
    trackers = [et.Tracker({"shared": shared}), et.Tracker({"shared": shared})]
    shared.register_backend("memory", memory)
    for tracker in trackers:
        tracker.emit("name")

    assert len(memory.events) == 2


def test_a_backend_may_be_replaced(memory):
    tracker = et.Tracker({"a": MemoryBackend()})
    tracker.root.register_backend("a", memory)
    tracker.emit("name")

    assert len(memory.events) == 1
    assert tracker.backends == {"a": memory}


def test_what_has_been_registered_can_be_asked_for(memory):
    router = et.RoutingBackend({"memory": memory}, [print])

    assert router.backends == {"memory": memory}
    assert router.processors == [print]


@pytest.mark.parametrize("backend", [None, object(), {"type": "null"}, MemoryBackend, "null"])
def test_a_backend_without_a_callable_send_is_refused(backend):
    router = et.RoutingBackend()
    if backend is MemoryBackend:
        backend = type("Deaf", (), {"send": "not callable"})()
    with pytest.raises(ValueError, match="'deaf' has no callable send"):
        router.register_backend("deaf", backend)

    assert router.backends == {}


@pytest.mark.parametrize("processor", [None, 5, "sample", {"type": "sample"}])
def test_a_processor_that_is_not_callable_is_refused(processor):
    router = et.RoutingBackend()
    with pytest.raises(ValueError, match="not callable"):
        router.register_processor(processor)

    assert router.processors == []


def test_a_router_that_overrides_send_is_sent_to(memory, an_event):
    class Twice(et.RoutingBackend):
        def send(self, event):
            super().send(event)
            super().send(event)

    tree = et.RoutingBackend({"twice": Twice({"memory": memory})})
    tree.send(an_event())

    assert len(memory.events) == 2


def test_a_router_that_overrides_a_part_is_asked_for_it(memory, an_event):
    """In the manner of an asynchronous router: process here, send somewhere else."""

    taken = []

    class Elsewhere(et.RoutingBackend):
        def send(self, event):
            taken.append(self.process_event(event))

    elsewhere = Elsewhere({"memory": memory}, [lambda event: event["data"].update(a=1)])
    sibling = MemoryBackend()
    et.Tracker({"a": elsewhere, "b": sibling}).emit("name")
    elsewhere.send_to_backends(taken[0])

    assert [event["data"] for event in memory.events] == [{"a": 1}]
    assert [event["data"] for event in sibling.events] == [{}]


def test_backends_alone_get_an_event_past_the_processors(memory, an_event):
    router = et.RoutingBackend({"memory": memory}, [pytest.fail])
    router.send_to_backends(an_event())

    assert len(memory.events) == 1


# A tree: None is a leaf, a pair the number of processors and the branches.
TREES = st.recursive(
    st.none(), lambda inner: st.tuples(st.integers(0, 2), st.lists(inner, max_size=3)), max_leaves=8
)


@settings(max_examples=50, deadline=None)
@given(st.lists(TREES, max_size=4))
def test_every_leaf_of_any_tree_is_reached_once_through_every_processor_above_it(trees):
    leaves = []

    def planted(tree, depth):
        if tree is None:
            leaves.append((MemoryBackend(), depth))
            return leaves[-1][0]
        number, branches = tree
        counting = [lambda event: event["data"].update(n=event["data"].get("n", 0) + 1)] * number
        children = {str(at): planted(child, depth + number) for at, child in enumerate(branches)}
        return et.RoutingBackend(children, counting)

    et.Tracker({str(at): planted(tree, 0) for at, tree in enumerate(trees)}).emit("name")

    for memory, depth in leaves:
        assert [event["data"].get("n", 0) for event in memory.events] == [depth]
