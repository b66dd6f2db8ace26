"""To Kafka: ours, and confluent-kafka's producer with values that were made before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from benchmarks.sender import Sender
from benchmarks.varied import batches_of, varied
from eventtracking_core import Event, Tracker
from eventtracking_core.encoding import NormalBatch, encode_json
from eventtracking_kafka import KafkaBackend

__all__ = ["kafka_senders"]

EVENTS: Final = 20_000
BATCH: Final = 1000
WAITS: Final = 120.0
"""Seconds for a flush: it is measured, not limited."""


def kafka_senders(servers: str, directory: Path, stack: ExitStack) -> list[Sender]:
    """Return all of them; each counts what the broker confirmed.

    Args:
        servers: the address of a broker.
        directory: where ours keeps what it cannot deliver.
        stack: closes what is opened.
    """
    batches = batches_of(BATCH, EVENTS)
    return [
        _ours(servers, directory, stack),
        _direct(servers, batches, stack),
        _raw(servers, batches),
    ]


def _ours(servers: str, directory: Path, stack: ExitStack) -> Sender:
    delivery = {"mode": "queue", "max_batch_size": BATCH, "directory": str(directory)}
    tracker = Tracker()
    sink = {"type": "kafka", "servers": servers, "topic": "ours", "delivery": delivery}
    tracker.configure({"backends": {"kafka": sink}})
    stack.callback(tracker.shutdown)

    def settle() -> None:
        assert tracker.flush(WAITS), "ours did not flush"

    def delivered() -> int:
        (leaf,) = tracker.stats()["tree"]["backends"]
        return int(leaf["delivered"])

    return Sender(
        "ours: kafka",
        "tracker.emit(NAME, DATA); tracker.flush()",
        varied(tracker),
        EVENTS,
        _counted(delivered),
        settle,
    )


def _direct(servers: str, batches: list[NormalBatch], stack: ExitStack) -> Sender:
    """Return what sends batches as a worker does, of events that were emitted before."""
    backend = KafkaBackend(servers, "direct")
    stack.callback(backend.shutdown, 5)
    turns = cycle(batches)
    sent = 0

    def send() -> None:
        nonlocal sent
        backend.send_batch(next(turns), timeout=WAITS)
        sent += BATCH

    return Sender(
        "ours: kafka, send_batch(1000)",
        "backend.send_batch(events, timeout=120)",
        send,
        EVENTS // BATCH,
        _counted(lambda: sent),
        events=BATCH,
    )


def _raw(servers: str, batches: list[NormalBatch]) -> Sender:
    producer = Producer(
        {"bootstrap.servers": servers, "enable.idempotence": True, "compression.type": "lz4"}
    )
    turns = cycle([[_row(event) for event in batch] for batch in batches])
    confirmed = 0

    def told(error: object, _: object) -> None:
        nonlocal confirmed
        confirmed += error is None

    def produce() -> None:
        for value, headers, timestamp in next(turns):
            producer.produce("raw", value, None, -1, told, None, timestamp, headers)
        producer.flush(WAITS)

    return Sender(
        "confluent-kafka: produce and flush 1,000",
        "producer.produce(…, on_delivery=…) of 1,000; producer.flush()",
        produce,
        EVENTS // BATCH,
        _counted(lambda: confirmed),
        events=BATCH,
    )


def _row(event: Event) -> tuple[bytes, list[tuple[str, str | bytes]], int]:
    """Return value, headers and time, as ours makes them."""
    headers = [("id", event["id"]), ("name", event["name"]), ("content-type", b"application/json")]
    return encode_json(event), headers, int(event["timestamp"].timestamp() * 1000)


def _counted(total: Callable[[], int]) -> Callable[[], int]:
    """Return what counts how much a total has grown since it was last asked."""
    before = 0

    def delivered() -> int:
        nonlocal before
        new = total() - before
        before += new
        return new

    return delivered
