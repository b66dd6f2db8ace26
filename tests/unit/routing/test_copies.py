"""Nobody sees a change that was made on another branch."""

from __future__ import annotations

import copy
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.encoding import snapshot


class Keeping:
    """Keeps the very events it was given."""

    def __init__(self):
        self.events = []

    def send(self, event):
        self.events.append(event)


def vandal(event):
    """Changes whatever it can reach."""
    event["name"] = "changed"
    event["data"]["list"].append("changed")
    event["data"]["dict"]["changed"] = True
    event["context"]["changed"] = True


class Adding:
    """Says that it changes no event, and returns another."""

    mutates = False

    def __init__(self):
        self.given = []

    def __call__(self, event):
        self.given.append(event)
        return {**event, "name": "copied"}


def data():
    return {"list": [1], "dict": {"a": 1}}


def router(backends, *processors):
    return et.RoutingBackend(backends, processors)


def test_siblings_never_see_each_others_changes(an_event):
    before, changed, after = Keeping(), Keeping(), Keeping()
    branch = router({"changed": changed}, vandal)
    router({"a": before, "b": branch, "c": after}).send(an_event(data(), context={}))

    assert changed.events[0]["name"] == "changed"
    for other in (before, after):
        assert other.events[0]["data"] == data()
        assert other.events[0]["context"] == {}
        assert other.events[0]["name"] == "edx.problem.check"


def test_the_callers_dict_never_changes(tracker):
    tracker.root.register_processor(vandal)
    given, context = data(), {"user_id": 1}
    with tracker.context("request", context):
        tracker.emit("name", given)

        assert tracker.resolve_context() == {"user_id": 1}
    assert given == data()


def test_a_change_at_the_root_is_seen_by_all_and_one_in_a_branch_below_it(an_event):
    above, below = Keeping(), Keeping()
    deep = router({"below": below}, lambda event: event["data"].update(deep=True))
    tree = router({"a": deep, "b": above}, lambda event: event["data"].update(root=True))
    tree.send(an_event({}))

    assert above.events[0]["data"] == {"root": True}
    assert below.events[0]["data"] == {"root": True, "deep": True}


def test_processors_see_what_those_before_them_changed(memory, an_event):
    seen = []
    first, second = vandal, lambda event: seen.append(event["name"])
    router({"memory": memory}, first, second).send(an_event(data()))

    assert seen == ["changed"]


def test_processors_that_say_they_change_nothing_get_no_copy(an_event):
    adding, sink, event = Adding(), Keeping(), an_event(data())
    router({"sink": sink}, adding).send(event)

    assert adding.given[0] is event
    assert sink.events[0]["data"] is event["data"]
    assert sink.events[0]["name"] == "copied"


def test_one_that_may_change_events_among_them_gives_all_a_copy(an_event):
    adding, event = Adding(), an_event(data())
    router({"sink": Keeping()}, adding, vandal).send(event)

    assert adding.given[0] is not event
    assert event["data"] == data()


def test_a_tree_without_processors_hands_on_the_event_itself(an_event):
    sink, event = Keeping(), an_event()
    router({"a": router({"b": router({"sink": sink})})}).send(event)

    assert sink.events[0] is event


def test_process_event_leaves_the_event_it_is_given_as_it_is(an_event):
    event = an_event(data())

    assert router({}, vandal).process_event(event)["name"] == "changed"
    assert event["name"] == "edx.problem.check"
    assert event["data"] == data()


def test_what_memory_keeps_does_not_change_afterwards():
    memory, given = MemoryBackend(), data()
    et.Tracker({"memory": memory}).emit("name", given)
    given["list"].append("later")

    assert memory.events[0]["data"] == data()


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=10,
)


def containers(value):
    """Yield the identity of every container that can be changed."""
    if isinstance(value, dict | list | set | bytearray):
        yield id(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from containers(item)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(max_size=2), VALUES, max_size=4))
def test_a_snapshot_is_equal_and_shares_nothing_that_can_be_changed(data):
    event = {"id": "", "name": "", "timestamp": None, "context": {}, "data": data}
    taken = snapshot(event)

    assert taken == copy.deepcopy(event)
    assert not set(containers(taken)) & set(containers(event))


@pytest.mark.parametrize("loop", ["list", "dict"])
def test_a_snapshot_of_what_refers_to_itself_ends(loop, an_event):
    event = an_event(data())
    event["data"]["loop"] = event["data"][loop]
    event["data"]["list"].append(event["data"])

    assert snapshot(event)["id"] == event["id"]


def test_a_foreign_mapping_is_shared_by_a_snapshot(an_event):
    foreign = MappingProxyType({"a": 1})

    assert snapshot(an_event({"foreign": foreign}))["data"]["foreign"] is foreign
