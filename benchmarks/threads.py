"""What threads that emit flat out wait for, and how much they emit together."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from threading import Barrier, Thread
from time import perf_counter_ns
from typing import Final

from benchmarks.floors import floor1
from benchmarks.ours import buffered, counted, entered
from benchmarks.rounds import Samples, rotated
from benchmarks.sender import latencies
from eventtracking_core import Tracker

__all__ = ["FLOOR_LONGEST", "LONGEST", "P99", "RATE", "THREADS", "threads"]

THREADS: Final = (1, 2, 4, 8)
MODES: Final = ("queue", "spool")

RATE: Final = "ours: {}, {} threads"
"""What the tables call the time of one event, of all threads together."""

P99: Final = "ours: {}, {} threads, p99"
LONGEST: Final = "ours: {}, {} threads, longest"
AS_LONG: Final = 3
"""Calls of FLOOR1 that take about as long as one of ours."""

FLOOR_LONGEST: Final = f"FLOOR1, {THREADS[-1]} threads, longest"
"""How long the interpreter lets one of so many threads wait, whatever they do."""


def threads(
    directory: Path, *, number: int, events: int, progress: Callable[[str], None]
) -> Samples:
    """Return µs: of one event, of the call at p99 and of the longest, for each number of threads.

    Args:
        directory: where the spools are.
        number: of rounds.
        events: that the threads of a round emit together.
        progress: called with the number of the round that runs.
    """
    samples: Samples = {}
    ways = [(mode, count) for mode in MODES for count in THREADS]
    for turn in range(number):
        progress(f"threads, round {turn + 1} of {number}")
        for mode, count in rotated(ways, turn):
            place = directory / f"threads-{mode}-{count}-{turn}"
            event, p99, longest = _measured(mode, count, events // count, place)
            samples.setdefault(RATE.format(mode, count), []).append(event)
            samples.setdefault(P99.format(mode, count), []).append(p99)
            samples.setdefault(LONGEST.format(mode, count), []).append(longest)
        calls, _ = _flat_out(lambda: floor1, THREADS[-1], AS_LONG * events // THREADS[-1])
        samples.setdefault(FLOOR_LONGEST, []).append(calls[-1] / 1000)
    return samples


def _measured(mode: str, count: int, events: int, directory: Path) -> tuple[float, float, float]:
    with ExitStack() as stack:
        tracker = Tracker()
        config = buffered(mode, directory)
        config["backends"]["sink0"]["delivery"]["max_queue_size"] = 2 * count * events
        tracker.configure(config)
        stack.callback(tracker.shutdown)
        delivered = counted(tracker)
        calls, until_emitted = _flat_out(lambda: entered(tracker), count, events)
        assert delivered() == count * events, f"{mode}, {count} threads: events are missing"
    return (
        until_emitted / (count * events) / 1000,
        quantiles(calls, n=100)[-1] / 1000,
        calls[-1] / 1000,
    )


def _flat_out(
    emitter: Callable[[], Callable[[], object]], count: int, events: int
) -> tuple[list[int], int]:
    """Return the ns of each call, the longest last, and those until all threads had ended.

    Args:
        emitter: returns what a thread calls, in that thread: each has contexts of its own.
        count: of threads.
        events: calls of each.
    """
    took: list[array[int]] = []
    ready = Barrier(count + 1)

    def emit() -> None:
        call = emitter()
        ready.wait()
        took.append(latencies(call, events))

    emitters = [Thread(target=emit) for _ in range(count)]
    for each in emitters:
        each.start()
    ready.wait()
    start = perf_counter_ns()
    for each in emitters:
        each.join()
    until_emitted = perf_counter_ns() - start
    return sorted(nanoseconds for each in took for nanoseconds in each), until_emitted
