"""Emitters killed at random moments, and the server with them: `python -m benchmarks.kills`.

In each round two emitters spool to MongoDB, and write the id of an event into a log as soon as
`emit` has returned it. Both are killed, and in every second round mongod too. At the end everything
in the log must be in MongoDB, once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from glob import glob
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from pymongo import MongoClient

from benchmarks.machine import machine
from benchmarks.sample import C1, C2, DATA, NAME
from benchmarks.services import Mongod, ServerError, mongod
from eventtracking_core import Tracker

__all__: list[str] = []

ROUNDS: Final = 20
LONGEST_LIFE: Final = 0.5
"""Seconds from an emitter's first event to its end, at most."""

PATIENCE: Final = 120.0
ID_LENGTH: Final = 36
DATABASE: Final = "benchmarks"


@dataclass(frozen=True)
class Outcome:
    """What became of the events.

    Args:
        rounds: each with two emitters that were killed.
        server_kills: in how many of them the server was killed.
        acknowledged: events whose `emit` returned.
        stored: documents in MongoDB; those whose `emit` had not returned yet included.
        lost: acknowledged, and not stored.
        duplicated: stored once more.
        dead_lettered: segments of dead letters.
    """

    rounds: int
    server_kills: int
    acknowledged: int
    stored: int
    lost: int
    duplicated: int
    dead_lettered: int


def main() -> None:
    """Run the rounds, let what is left be delivered, and print what was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kills", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="eventtracking-kills-") as name, ExitStack() as stack:
        try:
            server = mongod(Path(name), stack)
        except ServerError as error:
            sys.exit(str(error))
        outcome = _outcome(server, Path(name), options.rounds)
    if options.json:
        print(json.dumps({"machine": machine(), **asdict(outcome)}, indent=2))
    else:
        print("\n".join(f"{key}: {value}" for key, value in asdict(outcome).items()))
    sys.exit(1 if outcome.lost or outcome.duplicated else 0)


def _outcome(server: Mongod, directory: Path, rounds: int) -> Outcome:
    for turn in range(rounds):
        kills_server = bool(turn % 2)
        _kill_some(server, directory, kills_server=kills_server)
        if kills_server:
            server.start()
    _ended(_started(_drain, server.uri, directory), PATIENCE)
    words = (directory / "acknowledged").read_text().split()
    acknowledged = [word for word in words if len(word) == ID_LENGTH]  # a kill may cut one
    with MongoClient[dict[str, Any]](server.uri) as client:
        documents = list(client[DATABASE]["events"].find({}, {"data.process": 1, "data.number": 1}))
    stored = {document["_id"] for document in documents}
    said = {(each["data"]["process"], each["data"]["number"]) for each in documents}
    return Outcome(
        rounds,
        rounds // 2,
        len(acknowledged),
        len(documents),
        len(set(acknowledged) - stored),
        len(documents) - len(said),
        sum(1 for _ in directory.rglob("dead/**/*.seg")),
    )


def _kill_some(server: Mongod, directory: Path, *, kills_server: bool) -> None:
    log = directory / "acknowledged"
    size = log.stat().st_size if log.exists() else 0
    emitters = [_started(_emit_until_killed, server.uri, directory) for _ in range(2)]
    _until(lambda: log.exists() and log.stat().st_size > size, "the emitters did not begin")
    kills: list[Callable[[], None]] = [emitter.kill for emitter in emitters]
    if kills_server:
        kills.append(server.kill)
    lives = [random.uniform(0, LONGEST_LIFE) for _ in kills]
    began = time.monotonic()
    for life, kill in sorted(zip(lives, kills, strict=True), key=lambda pair: pair[0]):
        time.sleep(max(0.0, began + life - time.monotonic()))
        kill()
    for emitter in emitters:
        emitter.join()


def _started(program: Callable[[str, Path], None], uri: str, directory: Path) -> BaseProcess:
    process = get_context("spawn").Process(target=program, args=(uri, directory))
    process.start()
    return process


def _ended(process: BaseProcess, patience: float) -> None:
    process.join(patience)
    assert process.exitcode == 0, "what was left could not be delivered"


def _until(condition: Callable[[], bool], problem: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, problem
        time.sleep(0.001)


# ── the processes ──


def _tracker(uri: str, directory: Path) -> Tracker:
    delivery = {
        "mode": "spool",
        "directory": str(directory),
        "initial_interval": 0.05,
        # It is not the events that kill these processes, while an attempt waits for the server.
        "max_worker_deaths": 1000,
    }
    sink = {"type": "mongo", "uri": uri, "database": DATABASE, "delivery": delivery}
    tracker = Tracker()
    tracker.configure({"backends": {"sink": sink}})
    tracker.enter_context("request", C1)
    tracker.enter_context("user", C2)
    return tracker


def _emit_until_killed(uri: str, directory: Path) -> None:
    tracker, process, number = _tracker(uri, directory), os.getpid(), 0
    log = os.open(directory / "acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    while True:
        event_id = tracker.emit(NAME, {**DATA, "process": process, "number": number})
        os.write(log, f"\n{event_id}\n".encode())
        number += 1


def _drain(uri: str, directory: Path) -> None:
    tracker = _tracker(uri, directory)
    segments = str(directory / "*" / "spool" / "*" / "*.seg")
    # Not `Path.glob`: before Python 3.13, a directory that vanishes meanwhile is an error to it.
    _until(lambda: not glob(segments), "the spool is not empty")  # noqa: PTH207
    assert tracker.shutdown(), "the tracker did not shut down"


if __name__ == "__main__":
    main()
