"""Processes that end in every way, and what they leave behind."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import Event as Signal
from time import monotonic

import pytest

import eventtracking_core as et
from eventtracking_core.delivery.storage.spool import Spool

ID_LENGTH = 36
PROGRAMS = Path(__file__).with_name("programs.py")
FORKS_UNDER_THREADS = "ignore:This process:DeprecationWarning"


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


@pytest.fixture
def start(tmp_path):
    """Starts a program; its directory is the test's."""
    with ExitStack() as processes:

        def run(role, **options):
            arguments = json.dumps({"directory": str(tmp_path), **options})
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-W",
                    "error",
                    "-W",
                    FORKS_UNDER_THREADS,
                    PROGRAMS,
                    role,
                    arguments,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            processes.callback(_end, process)
            return process

        yield run


def _end(process):
    process.kill()
    process.communicate()


@pytest.fixture
def run(start):
    """Runs a program to its end; returns what it printed last, read as JSON."""

    def run(role, **options):
        process = start(role, **options)
        output, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
        return json.loads(output.splitlines()[-1]) if output else None

    return run


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
        return sorted(self.directory.rglob("spool/*/*.seg"))


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
            trackers.callback(tracker.shutdown, 2)
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

    def read(spool):
        payloads = []
        while True:
            taken, _ = spool.take(7, 1 << 20)
            for event in taken:
                payloads.append(event.wire)
                spool.acknowledge(event)
            if not (taken or spool.has_more):
                return payloads

    return read


@pytest.fixture
def leaf():
    """Returns the counters of a tracker's leaf, once they are seen to be in balance."""

    def stats(tracker):
        found = tracker.stats()["tree"]["backends"][0]["backends"][0]
        settled = found["delivered"] + sum(found["dropped"].values()) + found["dead_lettered"]
        assert found["accepted"] == settled + found["pending"], found
        return found

    return stats


@pytest.fixture
def eventually():
    """Waits until a condition holds."""

    def wait(condition, seconds=30.0):
        deadline = monotonic() + seconds
        pause = Signal()
        while not condition():
            assert monotonic() < deadline, "it never came true"
            pause.wait(0.005)

    return wait
