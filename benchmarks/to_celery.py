"""Through Celery: our batches, and a task for each event."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from time import perf_counter_ns
from typing import Any, Final

from benchmarks.ours import entered
from benchmarks.rounds import Samples
from benchmarks.sample import C1, C2, DATA, NAME
from benchmarks.sender import Sender, latencies
from benchmarks.services import Valkey
from eventtracking_core import Tracker

__all__ = ["GONE", "OURS", "THEIRS", "celery_senders", "gone_latencies", "tracker_to", "worker"]

OURS: Final = "ours: async_router"
THEIRS: Final = "Celery: a task an event"
GONE: Final = "{}, broker gone"

EVENTS: Final = 20_000
WAITS: Final = 120.0
"""Seconds for what was said to arrive: it is measured, not limited."""

NODE: Final[dict[str, Any]] = {
    "type": "async_router",
    "app": "benchmarks.celery_app:app",
    "queue": "benchmarks",
    "backends": {"sink": {"type": "benchmarks.celery_app:Counting"}},
}


def celery_senders(server: Valkey, directory: Path, stack: ExitStack) -> list[Sender]:
    """Return both, with one worker of two processes for them.

    Args:
        server: the broker, which counts what arrives besides.
        directory: where ours keeps what it cannot deliver.
        stack: ends what is started.
    """
    os.environ |= {"BENCHMARKS_BROKER": server.url, "BENCHMARKS_COUNTER": server.url}
    from benchmarks.celery_app import COUNT, counter, track  # noqa: PLC0415  it reads these

    tracker = tracker_to(directory, NODE, stack)
    worker(directory, stack, "-c", "2")
    client = stack.enter_context(counter())
    said = 0
    arrived_before = 0

    def call_theirs() -> None:
        nonlocal said
        event = {"name": NAME, "timestamp": datetime.now(UTC).isoformat(), "data": DATA}
        track.delay(json.dumps(event | {"context": {**C1, **C2}}))
        said += 1

    def arrived() -> None:
        assert tracker.flush(WAITS), "ours did not flush"
        deadline = time.monotonic() + WAITS
        while int(client.get(COUNT) or 0) < tracker.stats()["emitted"] + said:
            assert time.monotonic() < deadline, "not everything arrived"
            time.sleep(0.0005)

    def delivered() -> int:
        nonlocal arrived_before
        before, arrived_before = arrived_before, int(client.get(COUNT))
        return arrived_before - before

    theirs = EVENTS // 10
    return [
        Sender(OURS, "tracker.emit(NAME, DATA)", entered(tracker), EVENTS, delivered, arrived),
        Sender(THEIRS, "track.delay(event)", call_theirs, theirs, delivered, arrived),
    ]


def tracker_to(directory: Path, node: dict[str, Any], stack: ExitStack) -> Tracker:
    """Return a tracker that emits to a node; its configuration is the workers' too."""
    delivery = {"max_batch_size": 512, "directory": str(directory / "kept")}
    config = directory / "celery.json"
    config.write_text(json.dumps({"backends": {"node": {**node, "delivery": delivery}}}))
    tracker = Tracker(name="default")
    tracker.configure(config)
    stack.callback(tracker.shutdown)
    return tracker


def worker(directory: Path, stack: ExitStack, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a worker of the application; the stack ends it."""
    log = (directory / "worker.log").open("ab")
    stack.callback(log.close)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "-A", "benchmarks.celery_app"),
            *("worker", "-l", "WARNING", "--without-gossip", "--without-mingle"),
            *arguments,
        ],
        env=os.environ | {"EVENTTRACKING_CONFIG_FILE": str(directory / "celery.json")},
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)
    return process


def gone_latencies(server: Valkey, directory: Path, *, number: int) -> Samples:
    """Return the µs of ours at p99.9 of 20,000 calls while the broker is gone, and of `delay`.

    Args:
        server: the broker; it is killed, and started again in the end.
        directory: where ours keeps what it cannot deliver.
        number: of rounds; a task an event has one.
    """
    from benchmarks.celery_app import track  # noqa: PLC0415  it reads the environment

    samples: Samples = {GONE.format(OURS): [], GONE.format(THEIRS): []}
    with ExitStack() as stack:
        tracker = tracker_to(directory, NODE, stack)
        emit = entered(tracker)
        emit()
        for turn in range(number):
            assert tracker.flush(WAITS), "the broker was not there"
            server.kill()
            ours = latencies(emit, EVENTS)
            samples[GONE.format(OURS)].append(quantiles(ours, n=1000)[-1] / 1000)
            if not turn:
                samples[GONE.format(THEIRS)].append(_timed(lambda: track.delay("{}")))
            server.start()
        assert tracker.flush(WAITS), "the broker did not come back"
        [leaf] = tracker.stats()["tree"]["backends"][0]["backends"]
        assert leaf["delivered"] == leaf["accepted"] == number * EVENTS + 1, "events were lost"
    return samples


def _timed(call: Callable[[], object]) -> float:
    """Return the µs that a call takes, which may fail."""
    start = perf_counter_ns()
    with suppress(Exception):
        call()
    return (perf_counter_ns() - start) / 1000
