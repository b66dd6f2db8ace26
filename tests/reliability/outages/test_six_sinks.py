"""Six sinks at once: servers are killed and networks fail at random, and each event is there once.

pytest -m soak -s tests/reliability/outages/test_six_sinks.py
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from fault_proxy import fall_silent, refuse
from six_sinks import Sinks

EMITTER = Path(__file__).with_name("six_sinks_emitter.py")
SECONDS = 120
PATIENCE = 600
CALM = 2.0
DELIVERY = {
    "schedule_delay": 0.1,
    "export_timeout": 10,
    "initial_interval": 0.1,
    "max_interval": 1,
    "max_batch_size": 500,
    "max_queue_size": 1_000_000,
    "max_queue_bytes": 1_000_000_000,
}
ASKS = {
    "postgres": b"COMMIT",
    "clickhouse": b"FORMAT Native",
    "redis": b"EVALSHA",
    "kafka": b"chaos",
    "objects": b"PUT /",
}
"""What a request that stores events contains."""


class Faults:
    """What befalls the sinks, one after the other.

    Args:
        sinks: to whom.
        seed: decides what happens, and when.
    """

    def __init__(self, sinks: Sinks, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self._sinks = sinks
        self._random = random.Random(seed)
        self._wait = Event().wait

    def go_on(self, seconds: float) -> None:
        """Let one thing after the other happen for a while."""
        ways = [self._cut, self._refuse, self._silence, self._slow, self._lose, self._kill]
        end = monotonic() + seconds
        while monotonic() < end:
            name = self._random.choice([*self._sinks.proxies, "sqlite"])
            way = self._lock if name == "sqlite" else self._random.choice(ways)
            if way == self._kill and name not in self._sinks.servers:
                way = self._cut
            self.counts[f"{name}: {way.__name__.strip('_')}"] += 1
            way(name)
            self._wait(self._random.uniform(0.1, 0.5))

    def _pause(self) -> None:
        self._wait(self._random.uniform(0.3, CALM))

    def _cut(self, name: str) -> None:
        self._sinks.proxies[name].reset()

    def _refuse(self, name: str) -> None:
        refuse(self._sinks.proxies[name])
        self._pause()
        self._sinks.proxies[name].heal()

    def _silence(self, name: str) -> None:
        fall_silent(self._sinks.proxies[name])
        self._pause()
        self._pause()
        self._sinks.proxies[name].heal()

    def _slow(self, name: str) -> None:
        self._sinks.proxies[name].bytes_per_second = 20_000
        self._pause()
        self._sinks.proxies[name].heal()

    def _lose(self, name: str) -> None:
        """Lose the answers to what was stored."""
        self._sinks.proxies[name].lose_answers(ASKS[name], 3)
        self._pause()
        self._sinks.proxies[name].heal()

    def _kill(self, name: str) -> None:
        self._sinks.servers[name].kill()
        self._pause()
        self._sinks.servers[name].start()

    def _lock(self, _: str) -> None:
        """Hold SQLite's database locked."""
        with closing(sqlite3.connect(self._sinks.database, timeout=30)) as database:
            database.execute("BEGIN IMMEDIATE")
            self._pause()


@pytest.fixture
def sinks(tmp_path):
    with ExitStack() as stack:
        yield Sinks(tmp_path, stack)


@pytest.mark.soak
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize(("mode", "forks"), [("queue", 0), ("spool", 6)])
def test_six_sinks_that_fail_at_random_have_each_event_once(tmp_path, sinks, measured, mode, forks):
    delivery = DELIVERY | {"mode": mode, "directory": str(tmp_path / "delivery")}
    backends = {name: made | {"delivery": delivery} for name, made in sinks.backends().items()}
    config = {"shutdown_timeout": PATIENCE, "backends": backends}
    (tmp_path / "config.json").write_text(json.dumps(config))
    seed = random.SystemRandom().randrange(10**6)
    faults = Faults(sinks, seed)
    code, logged = run_emitter(tmp_path, faults, forks)
    assert code == 0, (seed, faults.counts, logged)
    emitted = (tmp_path / "emitted").read_text().split()
    stored = {name: Counter(ids) for name, ids in sinks.stored().items()}
    lost = {name: len(set(emitted) - set(ids)) for name, ids in stored.items()}
    twice = {name: ids.total() - len(ids) for name, ids in stored.items()}
    figures = {
        "events": len(emitted),
        "faults": faults.counts.total(),
        "lost": lost,
        "twice": twice,
    }
    measured(f"six sinks, {mode}", f"seed {seed}, {figures}; {dict(sorted(faults.counts.items()))}")
    processes = [json.loads(path.read_text()) for path in tmp_path.glob("*.ledgers")]
    assert len(processes) == 1 + forks
    assert {*lost.values(), *twice.values()} == {0}, (seed, faults.counts, logged)
    for name in stored:
        ledgers = [process["ledgers"][name] for process in processes]
        assert all(map(is_exact, ledgers)), ledgers
        assert sum(ledger["delivered"] for ledger in ledgers) == len(emitted), ledgers


def run_emitter(directory, faults, forks):
    """Let a process emit while things happen; return its exit code, and the end of its log."""
    with (
        (directory / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, EMITTER, directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as emitter,
    ):
        try:
            assert emitter.stdout.readline() == b"ready\n"
            faults.go_on(SECONDS / (forks + 1))
            for _ in range(forks):
                emitter.stdin.write(b"fork\n")
                emitter.stdin.flush()
                faults.go_on(SECONDS / (forks + 1))
            emitter.stdin.close()
            code = emitter.wait(PATIENCE)
        finally:
            emitter.kill()
    return code, (directory / "log").read_text()[-5_000:]


def is_exact(ledger):
    """Return whether nothing was dropped, and all that was accepted was delivered or waits."""
    settled = ledger["delivered"] + ledger["dead_lettered"] + ledger["pending"]
    return not ledger["dropped"] and not ledger["dead_lettered"] and ledger["accepted"] == settled
