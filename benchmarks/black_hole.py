"""What a caller notices of a sink that takes connections and never answers."""

from __future__ import annotations

from pathlib import Path
from statistics import quantiles
from threading import Thread
from time import perf_counter_ns
from typing import Final

from benchmarks.ours import entered
from benchmarks.rounds import Samples
from benchmarks.sample import C1, C2, DATA, NAME
from benchmarks.sender import latencies
from benchmarks.services import FaultProxy
from benchmarks.to_mongo import DATABASE
from eventtracking.backends.mongodb import MongoBackend  # type: ignore[import-untyped]
from eventtracking.tracker import Tracker as TheirTracker  # type: ignore[import-untyped]
from eventtracking_core import Tracker

__all__ = ["BLACK_HOLE", "black_hole_latencies"]

BLACK_HOLE: Final = "{}, black hole"
EVENTS: Final = 20_000
LONGEST: Final = 30.0
"""Seconds that event-tracking's call is waited for."""

WAITS: Final = 60.0
"""Seconds for a flush, and for a call to end once the sink is there again."""


def black_hole_latencies(port: int, directory: Path, *, number: int) -> Samples:
    """Return the µs of ours at p99.9 of 20,000 calls, and of one call of event-tracking's.

    Args:
        port: of a MongoDB server on this machine.
        directory: where ours keeps its spool.
        number: of rounds; event-tracking has one.
    """
    with FaultProxy("127.0.0.1", port) as proxy:
        return {
            BLACK_HOLE.format(f"ours: {mode}"): [
                _ours(mode, proxy, directory) for _ in range(number)
            ]
            for mode in ("queue", "spool")
        } | {BLACK_HOLE.format("event-tracking"): [_event_tracking(proxy)]}


def _uri(proxy: FaultProxy) -> str:
    return f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true"


def _ours(mode: str, proxy: FaultProxy, directory: Path) -> float:
    delivery = {"mode": mode, "directory": str(directory / "black-hole")}
    sink = {"type": "mongo", "uri": _uri(proxy), "database": DATABASE, "delivery": delivery}
    tracker = Tracker()
    tracker.configure({"backends": {"mongo": sink}})
    emit = entered(tracker)
    emit()
    assert tracker.flush(WAITS), "the sink was not there before"
    proxy.is_black_hole = True
    took = latencies(emit, EVENTS)
    proxy.heal()
    assert tracker.flush(WAITS), "the sink did not come back"
    [leaf] = tracker.stats()["tree"]["backends"]
    assert leaf["delivered"] == EVENTS + 1, "events were lost"
    assert tracker.shutdown(), "ours did not shut down"
    return quantiles(took, n=1000)[-1] / 1000


def _event_tracking(proxy: FaultProxy) -> float:
    """Return the µs of one call, or of our patience with it."""
    backend = MongoBackend(host=_uri(proxy), database=DATABASE, collection="theirs", extra={"w": 1})
    tracker = TheirTracker(backends={"mongo": backend})
    tracker.enter_context("request", C1)
    tracker.enter_context("user", C2)
    tracker.emit(NAME, DATA)
    proxy.is_black_hole = True
    call = Thread(target=tracker.emit, args=(NAME, DATA), daemon=True)
    start = perf_counter_ns()
    call.start()
    call.join(LONGEST)
    took = perf_counter_ns() - start
    proxy.heal()
    call.join(WAITS)
    backend.connection.close()
    return took / 1000
