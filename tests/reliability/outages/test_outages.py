"""P2, P5 and P6: servers and emitters are killed under load, and the network fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import pymongo
import pytest
from fault_proxy import crawl, fall_silent, refuse
from pymongo.uri_parser import parse_uri
from waiting import wait_until

import eventtracking_core as et

REPOSITORY = Path(__file__).parents[3]
RATE = 5_000
TICK = 0.005
MAY_WAIT = 50_000
SCHEDULE_DELAY = 0.02
SECONDS = 2
A_BUSY_MACHINE = 10
NEVER = Event()


class Numbers:
    """Counts the events it is sent."""

    def __init__(self):
        self.count = 0

    def send_batch(self, events, *, timeout):
        self.count += len(events)


def eventually(condition):
    """Wait for a condition; return how many seconds that took."""
    start = monotonic()
    wait_until(condition)
    return monotonic() - start


class Load:
    """Emits 5,000 events a second until the block ends, unless too many wait for a backend."""

    def __init__(self, tracker):
        self._tracker = tracker
        self._ended = Event()
        self._thread = Thread(target=self._run)
        self.emitted = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _run(self):
        last = monotonic()
        while not self._ended.wait(TICK):
            now = monotonic()
            for _ in range(min(int((now - last) * RATE), self._room())):
                self._tracker.emit("numbered", {"n": self.emitted})
                self.emitted += 1
            last = now

    def _room(self):
        """Return how many more may wait: queues fill while a busy machine starts a server."""
        [router] = self._tracker.stats()["tree"]["backends"]
        return MAY_WAIT - max(child["pending"] for child in router["backends"])


@pytest.fixture
def tracker(tmp_path):
    """A tracker with a queue before each of its backends."""
    trackers = []

    def make(**backends):
        delivery = {"mode": "queue", "schedule_delay": SCHEDULE_DELAY, "directory": str(tmp_path)}
        routed = {"delivery": delivery, "backends": backends}
        trackers.append(et.Tracker())
        trackers[-1].configure({"backends": {"all": routed}})
        return trackers[-1]

    yield make
    for made in trackers:
        assert made.shutdown(60)


def leaf(tracker, name):
    [router] = tracker.stats()["tree"]["backends"]
    return next(child for child in router["backends"] if child["name"] == name)


def delivered(tracker, name):
    return leaf(tracker, name)["delivered"]


def test_a_server_that_is_killed_three_times_under_load_costs_nothing_and_is_used_at_once(
    tracker, mongod, measured
):
    """P5: 0 lost, and the first delivery within 2 s of the server's return on an idle machine."""
    sender = tracker(mongo={"type": "mongo", "uri": mongod.uri, "database": "outages"})
    waited = []
    with Load(sender) as load:
        for _ in range(3):
            seen = delivered(sender, "mongo")
            eventually(lambda seen=seen: delivered(sender, "mongo") > seen)
            mongod.kill()
            eventually(lambda: leaf(sender, "mongo")["pending"] > RATE // 2)
            seen = delivered(sender, "mongo")
            mongod.start()
            waited.append(eventually(lambda seen=seen: delivered(sender, "mongo") > seen))
    assert sender.flush(60)
    ledger = leaf(sender, "mongo")
    with pymongo.MongoClient(mongod.uri) as client:
        stored = client.outages.events.distinct("data.n")
    figures = {"emitted": load.emitted, "stored": len(stored)}
    measured("mongod killed three times", figures | {"seconds": [round(s, 2) for s in waited]})
    assert ledger["accepted"] == ledger["delivered"] == load.emitted == len(stored)
    assert max(waited) < A_BUSY_MACHINE


def lag(proxy):
    proxy.latency = 0.3


@pytest.fixture
def proxy(mongo_uri, fault_proxy):
    return fault_proxy(*parse_uri(mongo_uri)["nodelist"][0])


@pytest.mark.parametrize("fail", [fall_silent, crawl, lag, refuse])
def test_a_network_that_fails_leaves_the_other_backends_their_rate_and_loses_nothing(
    tracker, proxy, mongo_database, measured, fail
):
    """P6: the others have each event soon."""
    uri = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true"
    other = Numbers()
    delivery = {"export_timeout": 1.0, "max_interval": 1.0}
    options = {"uri": uri, "database": mongo_database.name, "delivery": delivery}
    sender = tracker(mongo={"type": "mongo", **options}, other=other)
    with Load(sender) as load:
        eventually(lambda: delivered(sender, "mongo") and other.count)
        fail(proxy)
        start = monotonic()
        eventually(lambda: monotonic() > start + SECONDS)
        emitted = load.emitted
        behind = eventually(lambda: other.count >= emitted)
    proxy.heal()
    proxy.reset()
    assert sender.flush(60)
    measured(f"{fail.__name__}: seconds until the other backend had all", round(behind, 3))
    assert behind < A_BUSY_MACHINE
    assert other.count == load.emitted
    assert mongo_database.events.count_documents({}) == load.emitted


def test_killed_emitters_and_killed_servers_lose_nothing_that_was_acknowledged(shared_mongod):
    """P2, in a few rounds; `python -m benchmarks.kills` has more of them."""
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.kills", "--rounds", "4"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "lost: 0\nduplicated: 0\n" in ran.stdout
