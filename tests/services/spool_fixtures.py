"""Spools in a test's directory, trackers that deliver from them, and what they leave there.

For the `conftest.py` of tests of spools, which import these fixtures by name.
"""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from paths_below import paths_below

import eventtracking_core as et
from eventtracking_core.delivery.storage.spool import Spool

__all__ = ["journals", "leaf", "read_all", "sink", "spool_at", "tracker_to"]

ID_LENGTH = 36


class Collected:
    """A sink that keeps the ids it is given."""

    def __init__(self):
        self.ids = []
        self.fails = None

    def send_batch(self, events, *, timeout):
        if self.fails is not None:
            raise self.fails
        self.ids += [event["id"] for event in events]


@pytest.fixture
def sink():
    return Collected()


class Journals:
    """What the programs of a test said, and what they left."""

    def __init__(self, directory):
        self.directory = directory

    @property
    def acknowledged(self):
        """The ids whose `emit` returned."""
        return _lines(self.directory / "acknowledged")

    @property
    def delivered(self):
        """The ids that were delivered, in order, each as often as it was."""
        return _lines(self.directory / "delivered")

    @property
    def segments(self):
        """The segments in the spools."""
        found = paths_below(self.directory, "*.seg")
        return [path for path in found if path.parents[1].name == "spool"]


def _lines(path):
    lines = path.read_text().splitlines() if path.exists() else []
    return [line for line in lines if len(line) == ID_LENGTH]  # a kill may cut any of them


@pytest.fixture
def journals(tmp_path):
    return Journals(tmp_path)


@pytest.fixture
def tracker_to(tmp_path):
    """Configures a tracker with a spool before a backend."""
    with ExitStack() as trackers:

        def make(backend, **delivery):
            options = {
                "mode": "spool",
                "directory": str(tmp_path),
                "schedule_delay": 0.01,
                "initial_interval": 0.01,
                "max_interval": 0.05,
                **delivery,
            }
            tracker = et.Tracker()
            trackers.callback(tracker.shutdown, 0.1)
            tracker.configure(
                {"backends": {"r": {"delivery": options, "backends": {"sink": backend}}}}
            )
            return tracker

        yield make


@pytest.fixture
def spool_at(tmp_path):
    """Makes spools, below the tracker."""
    with ExitStack() as spools:

        def make(directory="", **options):
            defaults = {"max_bytes": 1 << 24, "fsync_interval": 0.01, "lost": _never}
            spool = Spool(tmp_path / directory / "spool", **(defaults | options))
            spools.callback(spool.close)
            return spool

        yield make


def _never(number):
    raise AssertionError(f"{number} events were lost")


@pytest.fixture
def read_all():
    """Takes and settles what is in a spool; returns the payloads."""

    return take_all


def take_all(spool):
    """Take and acknowledge what is in a spool; return the payloads."""
    payloads = []
    while True:
        taken, _ = spool.take(7, 1 << 24)
        for wire, segment in taken:
            payloads.append(wire)
            spool.acknowledge(segment)
        if not (taken or spool.has_more):
            return payloads


@pytest.fixture
def leaf():
    """Returns the counters of a tracker's leaf, once they are seen to be in balance."""

    def stats(tracker):
        found = tracker.stats()["tree"]["backends"][0]["backends"][0]
        settled = found["delivered"] + sum(found["dropped"].values()) + found["dead_lettered"]
        assert found["accepted"] == settled + found["pending"], found
        return found

    return stats
