"""Configuring a tracker again, while it is in use."""

from __future__ import annotations

import threading
from time import monotonic

import pytest
from waiting import DEADLINE

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend


class Closing:
    """Remembers whether it was shut down."""

    def __init__(self):
        self.shut_down = 0
        self.received = 0

    def send(self, event):
        self.received += 1

    def shutdown(self, timeout):
        self.shut_down += 1
        return True


@pytest.mark.native
@pytest.mark.slow
def test_every_event_emitted_meanwhile_is_in_one_of_the_trees(tracker):
    trees = [MemoryBackend(1_000_000) for _ in range(8)]
    tracker.configure({"backends": {"tree": trees[0]}})
    done, emitted = threading.Event(), [[] for _ in range(4)]

    def emit_on_and_on(ids):
        while not done.is_set():
            ids.append(tracker.emit("name", {"a": 1}))

    threads = [threading.Thread(target=emit_on_and_on, args=[ids]) for ids in emitted]
    for thread in threads:
        thread.start()
    for tree in trees[1:]:
        tracker.configure({"backends": {"tree": tree}})
        so_far = len(emitted[0])  # one of the next events may be on its way to the old tree
        deadline = monotonic() + DEADLINE
        while len(emitted[0]) < so_far + 20:
            assert monotonic() < deadline
    done.set()
    for thread in threads:
        thread.join()

    arrived = [event["id"] for tree in trees for event in tree.events]
    assert sorted(arrived) == sorted(event_id for ids in emitted for event_id in ids)
    assert all(tree.events for tree in trees)


def test_an_event_that_moves_to_the_new_tree_is_counted_there_alone(tracker):
    provided = []

    def provider():
        if provided:
            provided.pop()
            tracker.configure({"backends": {"new": new}})
        return {}

    old, new = MemoryBackend(), MemoryBackend()
    tracker.configure({"context": [provider], "backends": {"old": old}})
    tracker.emit("before")
    provided.append(True)
    moved = tracker.emit("meanwhile")
    assert [event["id"] for event in new.events] == [moved]
    assert tracker.stats()["emitted"] == 1


@pytest.mark.parametrize("policy", [{"unregistered": "reject"}, {"invalid": "dead_letter"}])
def test_an_event_that_a_policy_stops_meanwhile_is_counted_in_the_new_tree(tracker, policy):
    provided = []

    def provider():
        if provided:
            provided.pop()
            tracker.configure({"backends": {"new": "memory"}})
        return {}

    tracker.register("known", "", {"a": "A field."}, schema={"required": ["a"]})
    tracker.configure({"context": [provider], "backends": {"old": "memory"}, **policy})
    provided.append(True)
    tracker.emit("unknown" if "unregistered" in policy else "known", {"b": 1})
    stats = tracker.stats()
    dropped = stats["tree"]["dropped"] | stats["tree"]["backends"][0]["dropped"]
    assert stats["emitted"] == 1
    assert dropped == dict.fromkeys(policy, 1)


def test_the_tracker_and_its_contexts_stay(tracker, memory):
    tracker.enter_context("request", {"user_id": 1})
    tracker.configure({"backends": {"new": memory}})
    tracker.emit("name")

    assert memory.events[0]["context"] == {"user_id": 1}
    assert list(tracker.backends) == ["new"]


def test_the_old_tree_is_shut_down_and_counted_no_more(tracker):
    old, new = Closing(), Closing()
    tracker.configure({"backends": {"a": old}})
    tracker.emit("name")
    tracker.configure({"backends": {"a": new}})

    assert (old.shut_down, new.shut_down) == (1, 0)
    assert tracker.stats()["emitted"] == 0


def test_a_backend_that_is_in_both_trees_stays_open(tracker):
    backend = Closing()
    tracker.configure({"backends": {"a": backend}})
    tracker.configure({"backends": {"b": backend}})
    tracker.emit("name")

    assert (backend.shut_down, backend.received) == (0, 1)


def test_a_configuration_that_fails_changes_nothing(tracker):
    backend = Closing()
    tracker.configure({"backends": {"a": backend}, "shutdown_timeout": 3})
    before = tracker.emit("name"), tracker.stats(), tracker.root
    with pytest.raises(et.ConfigurationError):
        tracker.configure({"backends": {"a": "null", "b": "nonsense"}})

    assert (tracker.stats(), tracker.root) == before[1:]
    assert (backend.shut_down, tracker.shutdown_timeout) == (0, 3)
    tracker.emit("name")
    assert backend.received == 2


@pytest.mark.parametrize("yes", ["1", "true", "TRUE", " on ", "yes"])
def test_the_environment_switches_everything_off(yes, tracker, memory, monkeypatch):
    monkeypatch.setenv("EVENTTRACKING_DISABLED", yes)
    tracker.configure({"backends": {"a": memory}, "nonsense": 1})

    assert tracker.emit("name")
    assert memory.events == []


@pytest.mark.parametrize("no", ["", "0", "false", "off"])
def test_and_leaves_it_on(no, tracker, memory, monkeypatch):
    monkeypatch.setenv("EVENTTRACKING_DISABLED", no)
    tracker.configure({"backends": {"a": memory}})
    tracker.emit("name")

    assert len(memory.events) == 1
