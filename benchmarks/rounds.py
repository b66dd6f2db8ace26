"""Interleaved rounds: each runs everybody once, so that a slow moment of the machine hits all."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Context
from pathlib import Path
from time import perf_counter_ns
from timeit import Timer
from typing import TypeVar

from benchmarks.contestant import Contestant

__all__ = ["Samples", "import_rounds", "nothing_swallowed", "rotated", "rounds"]

K = TypeVar("K")
Samples = dict[str, list[float]]
"""What each round measured, by contestant."""

BURST = 500
"""Events between two pauses: about one batch, so that the worker delivers it during a pause."""

LOGGERS = ("eventtracking", "opentelemetry")
"""Where ours and the peers report the errors they swallow."""


def rounds(
    contestants: Sequence[Contestant],
    *,
    number: int,
    events: int,
    progress: Callable[[str], None],
) -> Samples:
    """Return the µs an event of each contestant in each round, after one to warm up.

    Args:
        contestants: all of them; the one to begin changes with every round.
        number: of rounds.
        events: that each contestant emits in a round.
        progress: called with the number of the round that runs.
    """
    # timeit stops the garbage collector, which applications do not.
    timers = {
        each: Timer(each.statement, "import gc; gc.enable()", perf_counter_ns, dict(each.names))
        for each in contestants
    }
    for each, timer in timers.items():
        _measured(each, timer, max(1, events // 10))
    samples: Samples = {each.name: [] for each in contestants}
    for turn in range(number):
        progress(f"round {turn + 1} of {number}")
        for each in rotated(contestants, turn):
            samples[each.name].append(_measured(each, timers[each], events))
    return samples


def import_rounds(
    programs: Mapping[str, str], *, number: int, directory: Path, progress: Callable[[str], None]
) -> Samples:
    """Return the ms of each program in each round, run by a fresh interpreter.

    Args:
        programs: what `python -c` runs, by name.
        number: of rounds; one more comes before, and writes the byte code.
        directory: where the interpreters start, and keep their byte code.
        progress: called with the number of the round that runs.
    """
    # Byte code is there, as after an installation, whatever the environment says of writing it.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(directory / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    samples: Samples = {name: [] for name in programs}
    for turn in range(number + 1):
        progress(f"imports, round {turn} of {number}")
        for name in rotated(list(programs), turn):
            start = perf_counter_ns()
            subprocess.run(
                [sys.executable, "-c", programs[name]], cwd=directory, env=environment, check=True
            )
            samples[name].append((perf_counter_ns() - start) / 1e6)
    return {name: times[1:] for name, times in samples.items()}


@contextmanager
def nothing_swallowed() -> Iterator[None]:
    """Fail if anything within is reported on the loggers where swallowed errors go."""
    handler = _Kept()
    for name in LOGGERS:
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(handler)
    records = handler.records
    assert not records, f"an error was swallowed: {records[0].getMessage()}"


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def rotated(items: Sequence[K], turn: int) -> list[K]:
    """Return the items, beginning with another one each turn."""
    begin = turn % len(items)
    return [*items[begin:], *items[:begin]]


def _measured(contestant: Contestant, timer: Timer, events: int) -> float:
    # In a context of its own: one keeps the variables of all that were ever set in it.
    took = Context().run(_timed, contestant, timer, events)
    if contestant.delivered is not None:
        arrived = contestant.delivered()
        assert arrived == events, f"{contestant.name}: {arrived} of {events} events arrived"
    return took / events / 1000


def _timed(contestant: Contestant, timer: Timer, events: int) -> int:
    """Return the ns of the statements alone, not of what is done between bursts of them."""
    with contestant.around():
        if contestant.pause is None:
            return int(timer.timeit(events))
        took = 0
        for start in range(0, events, BURST):
            took += int(timer.timeit(min(BURST, events - start)))
            contestant.pause()
        return took
