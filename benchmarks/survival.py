"""777 events and no flush: what arrives when the process ends, `python -m benchmarks.survival`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

from benchmarks.collector import Collector
from benchmarks.machine import machine
from benchmarks.survivors import CLIENTS, EVENTS, SPOOLED
from benchmarks.table import table

PEERS: Final = (
    "opentelemetry-exporter-otlp-proto-http",
    "posthog",
    "segment-analytics-python",
    "snowplow-tracker",
)
ENDS: Final = ("exit", "SIGTERM", "SIGKILL", "fork")
COLUMNS: Final = ("exit", "SIGTERM", "kill -9", "fork: the parent's", "fork: the child's")
LONGEST: Final = 40.0
"""Seconds that a program may take in all, before it is said to hang."""

NOTES: Final = (
    (
        f"Each process emits {EVENTS} events to an endpoint on this machine and ends at once; with"
        " `fork`, a child of it emits as many again, and both end."
    ),
    "A spool is counted after a process was started that adopts what is left in it.",
)


@dataclass(frozen=True)
class Survival:
    """What arrived of one program's events.

    Args:
        client: who sent.
        end: how the process ended.
        parent: how many events of the process arrived.
        child: how many of its forked child.
        repeats: how many arrived once more.
        before_restart: how many arrived before another process adopted the rest.
        seconds: that the process took from beginning to end.
        hung: whether it had to be killed.
    """

    client: str
    end: str
    parent: int
    child: int
    repeats: int
    before_restart: int
    seconds: float
    hung: bool


def main() -> None:
    """Run every client to each of its ends, and print what arrived."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.survival", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, with every time")
    options = parser.parse_args()
    survivals = [_survival(client, end) for client in CLIENTS for end in ENDS]
    if options.json:
        document = {"machine": machine(PEERS), "survivals": list(map(asdict, survivals))}
        print(json.dumps(document, indent=2))
        return
    print(", ".join(f"{key} {value}" for key, value in machine(PEERS).items()), end="\n\n")
    lines = [(client, *_cells(client, survivals)) for client in CLIENTS]
    print(table([(f"of {EVENTS} events", *COLUMNS), *lines], range(1, 6)), end="\n\n")
    print("\n".join(NOTES))


def _cells(client: str, survivals: list[Survival]) -> list[str]:
    ends = {each.end: each for each in survivals if each.client == client}
    fork = ends["fork"]
    return [
        *(_cell(each, each.parent) for end, each in ends.items() if end != "fork"),
        _cell(fork, fork.parent),
        _cell(fork, fork.child),
    ]


def _cell(survival: Survival, arrived: int) -> str:
    repeated = f", {survival.repeats} twice" if survival.repeats else ""
    return f"{arrived}{repeated}{', hung' if survival.hung else ''}"


def _survival(client: str, end: str) -> Survival:
    with Collector() as collector, TemporaryDirectory(prefix="eventtracking-survival-") as name:
        start = monotonic()
        hung = not _ended(client, end, collector.address, name)
        seconds = monotonic() - start
        collector.settle()
        before = collector.arrived("parent") + collector.arrived("child")
        if client in SPOOLED:
            assert _ended(client, "restart", collector.address, name), "the restart hung"
            collector.settle()
        return Survival(
            client,
            end,
            collector.arrived("parent"),
            collector.arrived("child"),
            collector.repeats(),
            before,
            round(seconds, 2),
            hung,
        )


def _ended(client: str, end: str, address: str, directory: str) -> bool:
    """Run a program to its end; return whether it came to it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.survivors", client, end, address, directory],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None, "it is a pipe"
    with process:
        if end in signal.Signals.__members__:
            assert process.stdout.readline() == b"ready\n", f"{client} did not begin"
            process.send_signal(signal.Signals[end])
        try:
            process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            return False
        finally:
            with suppress(ProcessLookupError):  # with a child that hangs
                os.killpg(process.pid, signal.SIGKILL)
    expected = {0, -signal.Signals[end]} if end in signal.Signals.__members__ else {0}
    assert process.returncode in expected, f"{client} failed"
    return True


if __name__ == "__main__":
    main()
