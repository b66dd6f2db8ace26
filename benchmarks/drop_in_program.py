"""What `benchmarks.drop_in` runs in each environment: it prints its figures as JSON.

It uses nothing but what both distributions have.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
from collections.abc import Callable
from time import process_time
from typing import Any

from eventtracking.backends.logger import LoggerBackend
from eventtracking.backends.routing import RoutingBackend
from eventtracking.processors.whitelist import NameWhitelistProcessor
from eventtracking.tracker import Tracker

NAME = "edx.problem.check"
CONTEXT = {"user_id": 10938, "course_id": "c1", "org": "o", "session": "s", "ip": "10.0.0.1"}


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


def emitting(backends: dict[str, Any]) -> Callable[[int], None]:
    """Return a function that emits so many events within a context."""
    tracker = Tracker(backends)

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


def main() -> None:
    """Measure, and print the figures."""
    number = int(sys.argv[1])
    logger = logging.getLogger("tracking")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(Discard())
    figures: dict[str, float] = {}
    logged = emitting({"logger": LoggerBackend(name="tracking")})
    figures["emit to a backend that does nothing, µs"] = best(emitting({"null": Null()}), number)
    figures["emit through three nested routers, µs"] = best(emitting(routers(3)), number)
    figures["emit to LoggerBackend, µs"] = best(logged, number)
    figures["most memory, MB"] = peak()
    json.dump(figures, sys.stdout)


def peak() -> float:
    """Return the most memory that the process had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
