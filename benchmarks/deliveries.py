"""To the sink and acknowledged: databases, Kafka, Segment, Celery, a sink that never answers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.black_hole import black_hole_latencies
from benchmarks.rounds import Samples, nothing_swallowed
from benchmarks.sender import Sender, floor_callers, sender_rounds
from benchmarks.services import (
    ServerError,
    clickhouse,
    kafka,
    mongod,
    postgres,
    segment,
    valkey,
)
from benchmarks.to_celery import celery_senders, gone_latencies
from benchmarks.to_clickhouse import clickhouse_senders
from benchmarks.to_kafka import kafka_senders
from benchmarks.to_mongo import mongo_senders
from benchmarks.to_objects import objects_senders
from benchmarks.to_postgres import postgres_senders
from benchmarks.to_segment import segment_senders

__all__ = ["Deliveries", "deliveries"]


@dataclass(frozen=True)
class Deliveries:
    """What was measured.

    Args:
        samples: µs, by what was measured.
        statements: that were timed, by what was measured.
        missing: why there is nothing of MongoDB; empty if there is.
    """

    samples: Samples
    statements: dict[str, str]
    missing: str


def deliveries(directory: Path, *, number: int, progress: Callable[[str], None]) -> Deliveries:
    """Measure everything that needs a server.

    Args:
        directory: where servers and queues keep what they keep.
        number: of rounds.
        progress: called with the number of the round that runs.
    """
    with ExitStack() as stack:
        missing = ""
        senders: list[Sender] = []
        try:
            server = mongod(directory, stack)
            senders += mongo_senders(server.uri, directory, stack)
        except ServerError as error:
            missing = str(error)
        try:
            senders += postgres_senders(postgres(stack), directory, stack)
        except ServerError as error:
            progress(str(error))
        try:
            senders += clickhouse_senders(clickhouse(directory, stack), directory, stack)
        except ServerError as error:
            progress(str(error))
        try:
            senders += kafka_senders(kafka(directory, stack), directory, stack)
        except ServerError as error:
            progress(str(error))
        senders += objects_senders(directory, stack)
        senders += segment_senders(segment(stack), directory, stack)
        with nothing_swallowed():
            samples = sender_rounds(senders, number=number, progress=progress)
        through_celery, said = _celery(directory, stack, number=number, progress=progress)
        samples |= through_celery | floor_callers(number=number)
        if not missing:
            progress("black hole: a call of event-tracking's takes half a minute")
            samples |= black_hole_latencies(server.port, directory, number=number)
    return Deliveries(samples, {each.name: each.statement for each in senders} | said, missing)


def _celery(
    directory: Path, stack: ExitStack, *, number: int, progress: Callable[[str], None]
) -> tuple[Samples, dict[str, str]]:
    """Measure ours and a task an event, after the others: their worker would take its share."""
    try:
        server = valkey(directory, stack)
    except ServerError as error:
        progress(str(error))
        return {}, {}
    with ExitStack() as workers, nothing_swallowed():
        both = celery_senders(server, directory, workers)
        samples = sender_rounds(both, number=number, progress=progress)
    samples |= gone_latencies(server, directory, number=number)
    return samples, {each.name: each.statement for each in both}
