"""To Kafka: ours, and confluent-kafka's producer with values that were made before."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from benchmarks.delivered import BATCH, EVENTS, WAITS, batch_sender, emitter, since_last
from benchmarks.sender import Sender
from benchmarks.varied import batches_of
from eventtracking_core import Event
from eventtracking_core.encoding import NormalBatch, encode_json
from eventtracking_kafka import KafkaBackend

__all__ = ["kafka_senders"]

CONTENT_TYPE: Final = ("content-type", b"application/json")
"""A header, as ours has it."""


def kafka_senders(servers: str, directory: Path, stack: ExitStack) -> list[Sender]:
    """Return all of them; each counts what the broker confirmed.

    Args:
        servers: the address of a broker.
        directory: where ours keeps what it cannot deliver.
        stack: closes what is opened.
    """
    batches = batches_of(BATCH, EVENTS)
    sink = {"servers": servers, "topic": "ours"}
    return [
        emitter("kafka", sink, directory, stack, max_batch_size=BATCH),
        batch_sender("kafka", KafkaBackend(servers, "direct"), batches, stack),
        _raw(servers, batches),
    ]


def _raw(servers: str, batches: list[NormalBatch]) -> Sender:
    producer = Producer(
        {"bootstrap.servers": servers, "enable.idempotence": True, "compression.type": "lz4"}
    )
    turns = cycle([list(map(_row, batch)) for batch in batches])
    confirmed = 0

    def told(error: object, _: object) -> None:
        nonlocal confirmed
        confirmed += error is None

    def produce() -> None:
        for event_id, name, value, timestamp in next(turns):
            headers = [("id", event_id), ("name", name), CONTENT_TYPE]
            producer.produce("raw", value, None, -1, told, None, timestamp, headers)
        producer.flush(WAITS)

    return Sender(
        "confluent-kafka: produce and flush 1,000",
        "producer.produce(…, on_delivery=…) of 1,000; producer.flush()",
        produce,
        EVENTS // BATCH,
        since_last(lambda: confirmed),
        events=BATCH,
    )


def _row(event: Event) -> tuple[str, str, bytes, int]:
    """Return id, name, JSON and milliseconds."""
    milliseconds = int(event["timestamp"].timestamp() * 1000)
    return event["id"], event["name"], encode_json(event), milliseconds
