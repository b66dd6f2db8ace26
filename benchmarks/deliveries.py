"""To the sink and acknowledged: databases, Kafka, Segment, Celery, a sink that never answers.

Each kind of sink has a process of its own, `python -m benchmarks.deliveries KIND …`, and only its
own server beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

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
from benchmarks.to_http import http_senders
from benchmarks.to_kafka import kafka_senders
from benchmarks.to_mongo import mongo_senders
from benchmarks.to_objects import objects_senders
from benchmarks.to_postgres import postgres_senders
from benchmarks.to_redis import redis_senders
from benchmarks.to_segment import segment_senders

__all__ = ["Deliveries", "deliveries"]


@dataclass
class Deliveries:
    """What was measured.

    Args:
        samples: µs, by what was measured.
        statements: that were timed, by what was measured.
        missing: why there is nothing of MongoDB; empty if there is.
    """

    samples: Samples = field(default_factory=dict)
    statements: dict[str, str] = field(default_factory=dict)
    missing: str = ""


def deliveries(directory: Path, *, number: int, progress: Callable[[str], None]) -> Deliveries:
    """Measure everything that needs a server.

    Args:
        directory: where servers and queues keep what they keep.
        number: of rounds.
        progress: called with what is measured.
    """
    found = Deliveries()
    for kind in _KINDS:
        progress(f"deliveries: {kind}")
        place = directory / f"deliveries-{kind}"
        place.mkdir()
        result = place / "result.json"
        command = [sys.executable, "-m", "benchmarks.deliveries", kind, str(number), str(place)]
        # Servers write to standard output too.
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        measured = Deliveries(**json.loads(result.read_bytes()))
        found.samples |= measured.samples
        found.statements |= measured.statements
        if measured.missing:
            progress(measured.missing)
        if kind == "mongo":
            found.missing = measured.missing
    return found


def _mongo(directory: Path, stack: ExitStack, number: int) -> tuple[Sequence[Sender], Samples]:
    server = mongod(directory, stack)
    senders = mongo_senders(server.uri, directory, stack)
    samples = _rounds(senders, number)
    return senders, samples | black_hole_latencies(server.port, directory, number=number)


def _postgres(directory: Path, stack: ExitStack, number: int) -> tuple[Sequence[Sender], Samples]:
    senders = postgres_senders(postgres(stack), directory, stack)
    return senders, _rounds(senders, number)


def _clickhouse(directory: Path, stack: ExitStack, number: int) -> tuple[Sequence[Sender], Samples]:
    senders = clickhouse_senders(clickhouse(directory, stack), directory, stack)
    return senders, _rounds(senders, number)


def _kafka(directory: Path, stack: ExitStack, number: int) -> tuple[Sequence[Sender], Samples]:
    senders = kafka_senders(kafka(directory, stack), directory, stack)
    return senders, _rounds(senders, number)


def _objects(directory: Path, stack: ExitStack, number: int) -> tuple[Sequence[Sender], Samples]:
    senders = objects_senders(directory, stack)
    return senders, _rounds(senders, number)


def _http(directory: Path, stack: ExitStack, number: int) -> tuple[Sequence[Sender], Samples]:
    senders = http_senders(directory, stack)
    return senders, _rounds(senders, number)


def _redis(directory: Path, stack: ExitStack, number: int) -> tuple[Sequence[Sender], Samples]:
    senders = redis_senders(valkey(directory, stack).url, directory, stack)
    return senders, _rounds(senders, number)


def _segment(directory: Path, stack: ExitStack, number: int) -> tuple[Sequence[Sender], Samples]:
    senders = segment_senders(segment(stack), directory, stack)
    return senders, _rounds(senders, number)


def _celery(directory: Path, stack: ExitStack, number: int) -> tuple[Sequence[Sender], Samples]:
    server = valkey(directory, stack)
    with ExitStack() as workers:
        senders = celery_senders(server, directory, workers)
        samples = _rounds(senders, number)
    return senders, samples | gone_latencies(server, directory, number=number)


def _floors(_directory: Path, _stack: ExitStack, number: int) -> tuple[Sequence[Sender], Samples]:
    return [], floor_callers(number=number)


_KINDS: Final = {
    "mongo": _mongo,
    "postgres": _postgres,
    "clickhouse": _clickhouse,
    "kafka": _kafka,
    "objects": _objects,
    "http": _http,
    "redis": _redis,
    "segment": _segment,
    "celery": _celery,
    "floors": _floors,
}


def _rounds(senders: Sequence[Sender], number: int) -> Samples:
    with nothing_swallowed():
        return sender_rounds(senders, number=number, progress=_silent)


def _silent(_text: str) -> None:
    """Say nothing: the process that measures everything says which kind is measured."""


def _main(kind: str, number: str, directory: str) -> None:
    found = Deliveries()
    with ExitStack() as stack:
        try:
            senders, found.samples = _KINDS[kind](Path(directory), stack, int(number))
        except ServerError as error:
            found.missing = str(error)
        else:
            found.statements = {each.name: each.statement for each in senders}
    Path(directory, "result.json").write_text(json.dumps(asdict(found)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
