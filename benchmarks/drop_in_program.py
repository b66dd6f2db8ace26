"""What `benchmarks.drop_in` runs in each environment: it prints its figures as JSON.

It uses nothing but what both distributions have. Arguments: the number of events, the URI of a
MongoDB, and a directory for the log of a Celery worker.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, process_time, sleep
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from eventtracking.backends.logger import LoggerBackend
from eventtracking.backends.routing import RoutingBackend
from eventtracking.processors.whitelist import NameWhitelistProcessor
from eventtracking.tracker import Tracker

NAME = "edx.problem.check"
CONTEXT = {"user_id": 10938, "course_id": "c1", "org": "o", "session": "s", "ip": "10.0.0.1"}
DEADLINE = 120.0


class Null:
    """A backend that does nothing."""

    def send(self, event: Any) -> None:
        """Do nothing."""


class Discard(logging.Handler):
    """A handler that formats records and drops them."""

    def emit(self, record: logging.LogRecord) -> None:
        """Format a record."""
        record.getMessage()


def routers(depth: int) -> dict[str, Any]:
    """Return a backend below nested routers, each with a processor that passes the event."""
    backend: Any = Null()
    for _ in range(depth):
        backend = RoutingBackend(
            backends={"next": backend}, processors=[NameWhitelistProcessor(whitelist=[NAME])]
        )
    return {"next": backend}


def emitting(tracker: Any) -> Callable[[int], None]:
    """Return a function that emits so many events within a context."""

    def emit(number: int) -> None:
        with tracker.context("request", CONTEXT):
            for attempt in range(number):
                tracker.emit(NAME, {"problem_id": "p1", "attempts": attempt})

    return emit


def best(emit: Callable[[int], None], number: int) -> float:
    """Return microseconds of the processor an event, the best of several rounds."""
    rounds = []
    for _ in range(7):
        start = process_time()
        emit(number)
        rounds.append(process_time() - start)
    return min(rounds) / number * 1e6


def until(arrived: Callable[[], int], emit: Callable[[int], None], number: int) -> float:
    """Return microseconds an event by the clock, from the first call until all have arrived."""
    start = monotonic()
    emit(number)
    while arrived() < number:
        assert monotonic() < start + DEADLINE, f"{arrived()} of {number} events arrived"
        sleep(0.001)
    return (monotonic() - start) / number * 1e6


def to_mongo(uri: str, number: int) -> float:
    """Return microseconds an event until all are documents."""
    import pymongo  # noqa: PLC0415  what is measured before has no part of it

    from eventtracking.backends.mongodb import MongoBackend  # noqa: PLC0415

    server, name = urlsplit(uri), f"drop_in_{uuid4().hex}"
    client: Any = pymongo.MongoClient(uri)
    backend = MongoBackend(host=server.hostname, port=server.port, database=name)
    emit = emitting(Tracker({"mongo": backend}))
    documents = client[name]["events"]
    emit(1)  # connects
    until(lambda: documents.count_documents({}), lambda _: None, 1)
    figure = until(lambda: documents.count_documents({}) - 1, emit, number)
    client.drop_database(name)
    return figure


def through_celery(directory: Path, number: int) -> float:
    """Return microseconds an event until a worker has called the backend with all of them."""
    from drop_in_worker import COUNT, counter, tracker  # noqa: PLC0415  needs a broker

    logging.getLogger("eventtracking").setLevel(logging.WARNING)
    counter.delete(COUNT)
    emit = emitting(tracker)

    def arrived() -> int:
        return int(counter.get(COUNT) or 0)

    with worker(directory):
        until(arrived, emit, 2)  # the worker is there
        counter.delete(COUNT)
        return until(arrived, emit, number)


@contextmanager
def worker(directory: Path) -> Iterator[None]:
    """Run a worker of two processes."""
    command = ["-m", "celery", "-A", "drop_in_worker", "worker", "-c", "2", "-l", "WARNING"]
    with (directory / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *command, "--without-gossip", "--without-mingle"],
            cwd=Path(__file__).parent,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def main() -> None:
    """Measure, and print the figures."""
    number, uri, directory = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    logger = logging.getLogger("tracking")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(Discard())
    figures: dict[str, float] = {}
    null = emitting(Tracker({"null": Null()}))
    logged = emitting(Tracker({"logger": LoggerBackend(name="tracking")}))
    figures["emit to a backend that does nothing, µs"] = best(null, number)
    nested = emitting(Tracker(routers(3)))
    figures["emit through three nested routers, µs"] = best(nested, number)
    figures["emit to LoggerBackend, µs"] = best(logged, number)
    figures["most memory of these, MB"] = peak()
    figures["to MongoBackend, until all are stored, µs"] = to_mongo(uri, number // 4)
    figures["through Celery, until a worker has sent all, µs"] = through_celery(
        directory, number // 20
    )
    json.dump(figures, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # how they end is not what is measured


def peak() -> float:
    """Return the most memory that the process had, in MB."""
    # Not getrusage: what it tells includes the process that started this one.
    [line] = [
        line
        for line in Path("/proc/self/status").read_text("ascii").splitlines()
        if line.startswith("VmHWM:")
    ]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
