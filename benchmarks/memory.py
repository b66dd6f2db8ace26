"""A million events while the sink is down, and what it costs: `python -m benchmarks.memory`."""

from __future__ import annotations

import argparse
import json
import os
import socket
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.machine import machine
from benchmarks.ours import entered
from benchmarks.table import table
from eventtracking_core import Tracker

__all__: list[str] = []

EVENTS: Final = 1_000_000
LIMIT: Final = 64
"""MiB."""

LOOKS_EVERY: Final = 1000
MIB: Final = 1 << 20
MODES: Final = ("queue", "spool")


@dataclass(frozen=True)
class Growth:
    """What became of the events, and what they cost.

    Args:
        mode: of the delivery.
        before: MiB in memory with the tracker configured and one event emitted.
        most: MiB in memory, at most, while and after all were emitted.
        pending: how many wait for the sink.
        dropped: how many were dropped, by reason.
    """

    mode: str
    before: float
    most: float
    pending: int
    dropped: dict[str, int]

    @property
    def grown(self) -> float:
        """MiB."""
        return self.most - self.before


def main() -> None:
    """Measure each mode in a process of its own, and print what it grew by."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--events", type=int, default=EVENTS)
    options = parser.parse_args()
    growths = [_in_a_process(mode, options.events) for mode in MODES]
    if options.json:
        found = [{**asdict(each), "grown": each.grown} for each in growths]
        print(json.dumps({"machine": machine(), "events": options.events, "growths": found}))
        return
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    print(f"{options.events} events to a MongoDB that refuses connections\n")
    columns = (
        "mode",
        "before MiB",
        "most MiB",
        "grown MiB",
        "must",
        "verdict",
        "pending",
        "dropped",
    )
    print(table([columns, *map(_line, growths)], range(1, 5)))


def _line(growth: Growth) -> tuple[str, ...]:
    return (
        growth.mode,
        f"{growth.before:.1f}",
        f"{growth.most:.1f}",
        f"{growth.grown:.1f}",
        f"≤ {LIMIT}",
        "met" if growth.grown <= LIMIT else "not met",
        str(growth.pending),
        ", ".join(f"{number} {reason}" for reason, number in growth.dropped.items()),
    )


def _in_a_process(mode: str, events: int) -> Growth:
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        return process.submit(_growth, mode, events).result()


def _growth(mode: str, events: int) -> Growth:
    with TemporaryDirectory(prefix="eventtracking-memory-") as directory, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening
        uri = f"mongodb://127.0.0.1:{taken.getsockname()[1]}/?directConnection=true"
        tracker = Tracker()
        delivery = {"mode": mode, "directory": directory}
        tracker.configure(
            {"backends": {"sink": {"type": "mongo", "uri": uri, "delivery": delivery}}}
        )
        emit = entered(tracker)
        emit()
        before = most = _resident()
        for number in range(1, events):
            emit()
            if not number % LOOKS_EVERY:
                most = max(most, _resident())
        assert not tracker.flush(1), "the sink is there"
        most = max(most, _resident())
        leaf = _checked(tracker.stats(), events)
        tracker.shutdown(1)
    return Growth(mode, before, most, leaf["pending"], leaf["dropped"])


def _checked(stats: dict[str, Any], events: int) -> dict[str, Any]:
    leaf: dict[str, Any] = stats["tree"]["backends"][0]
    dropped = sum(leaf["dropped"].values())
    assert leaf["accepted"] == events == dropped + leaf["pending"], "the ledger is not in balance"
    return leaf


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


if __name__ == "__main__":
    main()
