"""Sinks that fail as scripted, and trackers that deliver to them.

For the `conftest.py` of tests of delivery, which import these fixtures by name.
"""

from __future__ import annotations

from contextlib import ExitStack
from threading import Event as Signal
from time import monotonic

import pytest
from paths_below import paths_below
from waiting import wait_until

import eventtracking_core as et

__all__ = ["black_hole", "configured", "dead_letters", "quick", "sink", "tracker_to"]


class Sink:
    """Takes batches, and fails as its script says: an entry a call, then as `otherwise` says.

    An entry is None (deliver), an error to raise, or a function of the batch.
    """

    def __init__(self, *script, otherwise=None):
        self._script = list(script)
        self.otherwise = otherwise
        self.calls = []
        self.called_at = []
        self.delivered = []
        self.timeouts = []
        self.closed = False

    def send_batch(self, events, *, timeout):
        numbers = [event["data"]["n"] for event in events]
        self.calls.append(numbers)
        self.called_at.append(monotonic())
        self.timeouts.append(timeout)
        told = self._script.pop(0) if self._script else self.otherwise
        try:
            if callable(told) and not isinstance(told, type):
                told = told(numbers)
            if told is not None:
                raise told
        except et.BatchError as error:
            failed = error.failures
            self.delivered += [n for index, n in enumerate(numbers) if index not in failed]
            raise
        self.delivered += numbers

    def shutdown(self, timeout):
        self.closed = True
        return True


class BlackHole:
    """Holds whoever sends, until it is released."""

    def __init__(self):
        self.reached = Signal()
        self.released = Signal()
        self.delivered = []

    def send_batch(self, events, *, timeout):
        self.reached.set()
        self.released.wait(60)
        self.delivered += [event["data"]["n"] for event in events]


class WatchedTracker(et.Tracker):
    """Emits numbers, and shows the stats of a leaf once its ledger is in balance, which is soon."""

    def emit_many(self, numbers):
        for n in numbers:
            self.emit("numbered", {"n": n})

    def leaf(self, name=None):
        found = {}

        def is_balanced():
            leaves = _leaves(self.stats()["tree"])
            found.update(next(node for node in leaves if name in {None, node["name"]}))
            settled = found["delivered"] + sum(found["dropped"].values())
            settled += found.get("dead_lettered", 0)
            return found["accepted"] == settled + found["pending"]

        wait_until(is_balanced)
        return found


def _leaves(node):
    if "backends" not in node:
        return [node]
    return [found for child in node["backends"] for found in _leaves(child)]


@pytest.fixture(scope="session")
def configured():
    """Configures a tracker."""

    def make(config):
        tracker = WatchedTracker()
        tracker.configure(config)
        return tracker

    return make


@pytest.fixture(scope="session")
def sink():
    return Sink


@pytest.fixture
def black_hole():
    with ExitStack() as holes:

        def make():
            hole = BlackHole()
            holes.callback(hole.released.set)
            return hole

        yield make


@pytest.fixture(scope="session")
def quick():
    """Options under which nothing waits long."""
    return {"mode": "queue", "schedule_delay": 0.01, "initial_interval": 0.01, "max_interval": 0.02}


@pytest.fixture
def tracker_to(tmp_path, quick, request, configured):
    """Configures a tracker whose backends, built already, stand below a router with `delivery`."""
    with ExitStack() as trackers:

        def make(backends, **delivery):
            if not isinstance(backends, dict):
                # Log lines are limited by the leaf's path: another test's must not hide ours.
                backends = {request.node.name.replace(".", "_"): backends}
            options = {**quick, "directory": str(tmp_path / "delivery"), **delivery}
            if options["mode"] == "inline":
                options = {"mode": "inline"}
            config = {"backends": {"r": {"delivery": options, "backends": backends}}}
            tracker = configured(config)
            trackers.callback(tracker.shutdown, 0.1)
            return tracker

        yield make


@pytest.fixture
def dead_letters(tmp_path):
    """Returns the dead letters that are kept below the test's directory."""
    from eventtracking_core.delivery import DeadLetters

    def read():
        directories = paths_below(tmp_path / "delivery", "dead")
        return [letter for path in directories for letter in DeadLetters(path, 0).letters()]

    return read
