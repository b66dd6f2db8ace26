"""To Kafka: ours, and confluent-kafka's producer with values that were made before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from benchmarks.ours import entered
from benchmarks.sample import NAME
from benchmarks.sender import Sender
from eventtracking_core import Event, Tracker
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.encoding import encode_json
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
    memory = MemoryBackend()
    tracker = Tracker({"memory": memory})
    emit = entered(tracker)
    for _ in range(BATCH):
        emit()
    events = list(memory.events)
    return [
        _ours(servers, directory, stack),
        _direct(servers, events, stack),
        _raw(servers, events),
    ]


def _ours(servers: str, directory: Path, stack: ExitStack) -> Sender:
    delivery = {"mode": "queue", "max_batch_size": BATCH, "directory": str(directory)}
    tracker = Tracker()
    sink = {"type": "kafka", "servers": servers, "topic": "ours", "delivery": delivery}
    tracker.configure({"backends": {"kafka": sink}})
    stack.callback(tracker.shutdown)
    before = 0

    def settle() -> None:
        assert tracker.flush(WAITS), "ours did not flush"

    def delivered() -> int:
        nonlocal before
        (leaf,) = tracker.stats()["tree"]["backends"]
        new = int(leaf["delivered"]) - before
        before += new
        return new

    return Sender(
        "ours: kafka",
        "tracker.emit(NAME, DATA); tracker.flush()",
        entered(tracker),
        EVENTS,
        delivered,
        settle,
    )


def _direct(servers: str, events: list[Event], stack: ExitStack) -> Sender:
    """Return batches of events that were emitted before, as `eventtracking replay` sends them."""
    backend = KafkaBackend(servers, "direct")
    stack.callback(backend.shutdown, 5)
    sent = 0

    def send() -> None:
        nonlocal sent
        backend.send_batch(events, timeout=WAITS)
        sent += BATCH

    def delivered() -> int:
        nonlocal sent
        number, sent = sent, 0
        return number

    return Sender(
        "ours: kafka, send_batch(1000)",
        "backend.send_batch(events, timeout=120)",
        send,
        EVENTS // BATCH,
        delivered,
        events=BATCH,
    )


def _raw(servers: str, events: list[Event]) -> Sender:
    producer = Producer(
        {"bootstrap.servers": servers, "enable.idempotence": True, "compression.type": "lz4"}
    )
    values = [encode_json(event) for event in events]
    headers = [("id", b"0" * 36), ("name", NAME.encode()), ("content-type", b"application/json")]
    confirmed = 0

    def told(error: object, _: object) -> None:
        nonlocal confirmed
        confirmed += error is None

    def produce() -> None:
        for value in values:
            producer.produce("raw", value=value, headers=headers, on_delivery=told)
        producer.flush(WAITS)

    return Sender(
        "confluent-kafka: produce and flush 1,000",
        "producer.produce(…, on_delivery=…) of 1,000; producer.flush()",
        produce,
        EVENTS // BATCH,
        _counted(lambda: confirmed),
        events=BATCH,
    )


def _counted(total: Callable[[], int]) -> Callable[[], int]:
    before = 0

    def delivered() -> int:
        nonlocal before
        new = total() - before
        before += new
        return new

    return delivered
