"""Scenarios of contexts and their locators."""

from __future__ import annotations

import threading
from collections import OrderedDict

from observing import Memory, raised, shown

from eventtracking.locator import DefaultContextLocator, ThreadLocalContextLocator
from eventtracking.tracker import Tracker


def contexts_by_name():
    memory = Memory()
    tracker = Tracker({"memory": memory})
    tracker.enter_context("a", {"x": 1})
    tracker.enter_context("b", {"x": 2})
    tracker.enter_context("a", {"x": 3, "y": 1})
    tracker.emit("replaced")
    tracker.exit_context("a")
    tracker.emit("left")
    with tracker.context("c", {"x": 4}):
        tracker.emit("inside")
    tracker.emit("outside")
    try:
        with tracker.context("d", {"x": 5}):
            raise ValueError
    except ValueError:
        tracker.emit("after")
    return [shown(memory.events), tracker.resolve_context()]


def nested_contexts_of_one_name():
    tracker = Tracker()
    with tracker.context("a", {"x": 1}):
        with tracker.context("a", {"y": 2}):
            inner = tracker.resolve_context()
        middle = tracker.resolve_context()
        error = raised(tracker.exit_context, "a")
        tracker.enter_context("a", {})
    return [inner, middle, error]


def leaving_an_unknown_context():
    return raised(Tracker().exit_context, "nothing")


def located_contexts():
    tracker = Tracker()
    tracker.enter_context("a", {"x": 1})
    return [dict(tracker.located_context), type(tracker.located_context).__name__]


def contexts_of_threads():
    result = []
    for locator in (None, DefaultContextLocator(), ThreadLocalContextLocator()):
        tracker = Tracker(context_locator=locator)
        tracker.enter_context("a", {"x": 1})
        thread = threading.Thread(target=lambda t=tracker: result.append(t.resolve_context()))
        thread.start()
        thread.join()
    return result


def a_locator_of_ones_own():
    class Locator:
        def __init__(self):
            self.contexts = OrderedDict()

        def get(self):
            return self.contexts

    locator = Locator()
    tracker = Tracker(context_locator=locator)
    tracker.enter_context("a", {"x": 1})
    locator.contexts["b"] = {"y": 2}
    return [dict(locator.contexts), tracker.resolve_context()]


def locators_return():
    locator = DefaultContextLocator()
    contexts = locator.get()
    contexts["a"] = {"x": 1}
    return [type(contexts).__name__, dict(locator.get()), dict(DefaultContextLocator().get())]
