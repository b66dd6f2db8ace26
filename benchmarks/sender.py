"""Who has events delivered, and how long that takes: to the caller, and until they are there."""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter_ns

from benchmarks.floors import floor1
from benchmarks.rounds import Samples, rotated

__all__ = ["CALLER", "Sender", "floor_callers", "latencies", "sender_rounds"]

CALLER = "{}, its caller"
"""What the tables call the median of a sender's calls."""

FLOOR_CALLS = 20_000


def nothing() -> None:
    """Wait for nothing: the calls return when all is delivered."""


@dataclass(frozen=True, eq=False)
class Sender:
    """One way to have events delivered.

    Args:
        name: what the tables call it.
        statement: what an application writes.
        call: says one event, or a batch of them.
        calls: of a round.
        delivered: returns how many events arrived, whole and each once, since it was last asked.
        settle: waits until everything is delivered.
        events: that a call says.
    """

    name: str
    statement: str
    call: Callable[[], object]
    calls: int
    delivered: Callable[[], int]
    settle: Callable[[], object] = nothing
    events: int = 1


def sender_rounds(
    senders: Sequence[Sender], *, number: int, progress: Callable[[str], None]
) -> Samples:
    """Return the µs an event of each sender in each round, after a small one to warm up.

    Args:
        senders: all of them; the one to begin changes with every round.
        number: of rounds.
        progress: called with the number of the round that runs.
    """
    gc.collect()
    gc.freeze()  # no sender should pay for a look at what was prepared
    samples: Samples = {}
    for each in senders:
        _measured(each, max(1, each.calls // 10))
        samples |= {each.name: [], CALLER.format(each.name): []}
    for turn in range(number):
        progress(f"deliveries, round {turn + 1} of {number}")
        for each in rotated(senders, turn):
            delivered, caller = _measured(each, each.calls)
            samples[each.name].append(delivered)
            samples[CALLER.format(each.name)].append(caller)
    return samples


def floor_callers(*, number: int) -> Samples:
    """Return the µs of FLOOR1's median call in each round, timed as those of senders are."""
    medians = [median(latencies(floor1, FLOOR_CALLS)) / 1000 for _ in range(number)]
    return {CALLER.format("FLOOR1"): medians}


def latencies(call: Callable[[], object], calls: int) -> array[int]:
    """Return the ns that each call took."""
    took = array("q", bytes(8 * calls))
    for turn in range(calls):
        start = perf_counter_ns()
        call()
        took[turn] = perf_counter_ns() - start
    return took


def _measured(sender: Sender, calls: int) -> tuple[float, float]:
    """Return the µs an event until all are delivered, and the median call's."""
    start = perf_counter_ns()
    took = latencies(sender.call, calls)
    sender.settle()
    until_delivered = perf_counter_ns() - start
    arrived, said = sender.delivered(), calls * sender.events
    assert arrived == said, f"{sender.name}: {arrived} of {said} events arrived"
    return until_delivered / said / 1000, median(took) / sender.events / 1000
