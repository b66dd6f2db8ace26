"""Celery workers: how many events one and two take, and what is lost when one is killed.

`python -m benchmarks.workers` prints both. For the first part the queue is filled before a worker
may begin. In the second one, two workers store in MongoDB, and one of them is killed twice, with
all its processes and the batches they hold.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from pymongo import MongoClient

from benchmarks.machine import machine
from benchmarks.ours import entered
from benchmarks.sample import DATA, NAME
from benchmarks.services import ServerError, Valkey, mongod, valkey
from benchmarks.to_celery import NODE, tracker_to, worker
from eventtracking_core import Tracker

__all__: list[str] = []

EVENTS: Final = 50_000
ROUNDS: Final = 3
KILLS: Final = 2
PATIENCE: Final = 120.0
BATCH: Final = 512
AHEAD: Final = 25_000
"""Events that may be in flight, including those of a killed worker."""

PREFETCHED: Final = 8
"""Messages that a worker of two processes takes: Celery's default is four for each."""

DATABASE: Final = "benchmarks"


@dataclass(frozen=True)
class Outcome:
    """What became of the events when a worker was killed twice.

    Args:
        emitted: events.
        stored: documents in MongoDB.
        lost: emitted, and not stored.
        twice: stored once more.
        kills: how often a worker was killed with a batch in flight.
    """

    emitted: int
    stored: int
    lost: int
    twice: int
    kills: int


def main() -> None:
    """Measure, kill, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.workers", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    try:
        rates = {number: _rate(number, options.events, options.rounds) for number in (1, 2)}
        outcome = _killed(options.events)
    except ServerError as error:
        sys.exit(str(error))
    if options.json:
        print(json.dumps({"machine": machine(), "rates": rates, **asdict(outcome)}, indent=2))
    else:
        print(", ".join(f"{key} {value}" for key, value in machine().items()))
        for number, rate in rates.items():
            print(f"{number} worker{'s' if number > 1 else ''}: {rate:,.0f} events a second")
        print(f"two are {rates[2] / rates[1]:.2f} times as fast as one")
        print("\n".join(f"{key}: {value}" for key, value in asdict(outcome).items()))
    sys.exit(1 if outcome.lost or outcome.twice else 0)


def _rate(workers: int, events: int, rounds: int) -> float:
    """Return the median of the events a second that so many workers of one process take."""
    from benchmarks.celery_app import COUNT, GO, READY, counter  # noqa: PLC0415  after the servers

    rates = []
    with TemporaryDirectory(prefix="eventtracking-workers-") as name, ExitStack() as stack:
        directory = Path(name)
        _serve(valkey(directory, stack))
        client = stack.enter_context(counter())
        tracker = tracker_to(directory, NODE, stack)
        emit = entered(tracker)
        client.set(GO, b"no")
        for number in range(workers):
            worker(directory, stack, "-c", "1", "-n", f"w{number}@%h")
        for turn in range(rounds):
            client.set(GO, b"no")
            _emit(tracker, emit, events)
            if not turn:
                _until(lambda: int(client.get(READY) or 0) == workers, "the workers did not begin")
            client.delete(COUNT)
            start = time.perf_counter()
            client.set(GO, b"yes")
            _until(lambda: int(client.get(COUNT) or 0) >= events, "they did not finish")
            rates.append(events / (time.perf_counter() - start))
    return median(rates)


def _serve(server: Valkey) -> None:
    from benchmarks.celery_app import app  # noqa: PLC0415  it reads the environment

    os.environ |= {"BENCHMARKS_BROKER": server.url, "BENCHMARKS_COUNTER": server.url}
    app.conf.broker_url = server.url


def _emit(tracker: Tracker, emit: Callable[[], object], number: int) -> None:
    for _ in range(number):
        emit()
    assert tracker.flush(PATIENCE), "not everything was published"


def _killed(events: int) -> Outcome:
    from benchmarks.celery_app import counter  # noqa: PLC0415  after the servers

    with TemporaryDirectory(prefix="eventtracking-workers-") as name, ExitStack() as stack:
        directory = Path(name)
        _serve(valkey(directory, stack, keeps=True))
        server = mongod(directory, stack)
        options = {"uri": server.uri, "database": DATABASE}
        sink: dict[str, Any] = {"type": "mongo", **options}
        tracker = tracker_to(directory, {**NODE, "backends": {"mongo": sink}}, stack)
        client = stack.enter_context(counter())
        documents = stack.enter_context(MongoClient[dict[str, Any]](server.uri))[DATABASE]["events"]
        worker(directory, stack, "-c", "2", "-n", "lasting@%h")
        victim = worker(directory, stack, "-c", "2", "-n", "victim-0@%h")
        kills = 0
        for number in range(events):
            tracker.emit(NAME, {**DATA, "number": number})
            if number % BATCH == 0:
                _until(lambda: documents.estimated_document_count() > number - AHEAD, "no progress")  # noqa: B023
            if kills < KILLS and number > events * (kills + 1) // (KILLS + 1):
                _until(lambda: _is_busy(client), "a worker has nothing to do")
                _kill(victim)
                kills += 1
                victim = worker(directory, stack, "-c", "2", "-n", f"victim-{kills}@%h")
        assert tracker.flush(PATIENCE), "not everything was published"
        _until(lambda: documents.count_documents({}) >= events, "not everything was stored")
        time.sleep(1)  # for what would be too many
        stored = documents.count_documents({})
        different = len(documents.distinct("data.number"))
        return Outcome(events, stored, events - different, stored - different, kills)


def _is_busy(client: Any) -> bool:
    """Return whether more messages are in workers' hands than one of them takes."""
    return int(client.hlen("unacked")) > PREFETCHED


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _until(condition: Callable[[], bool], problem: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, problem
        time.sleep(0.001)


if __name__ == "__main__":
    main()
