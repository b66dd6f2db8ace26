"""Topics of the tests' own, backends, and what the broker has."""

from __future__ import annotations

from datetime import UTC, datetime
from time import monotonic

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from waiting import DEADLINE

from eventtracking_core.events import new_id
from eventtracking_kafka import KafkaBackend


@pytest.fixture(scope="session")
def an_event():
    """Makes events."""

    def make(name="shop.order.placed", context=None, **data):
        return {
            "id": new_id(),
            "name": name,
            "timestamp": datetime(2026, 9, 12, 12, 55, 0, 123450, UTC),
            "context": context or {},
            "data": data,
        }

    return make


@pytest.fixture
def topic():
    """A topic that no other test uses."""
    return f"t-{new_id()}"


@pytest.fixture
def a_backend(kafka, topic):
    """Makes backends that end with the test."""
    made = []

    def make(servers=None, **options):
        backend = KafkaBackend(servers or kafka.servers, **{"topic": topic, **options})
        made.append(backend)
        return backend

    yield make
    for backend in made:
        backend.shutdown(0)


@pytest.fixture
def messages(kafka, topic):
    """Returns all messages of a topic."""
    return lambda servers=None, name=topic: everything(servers or kafka.servers, name)


def everything(servers, topic):
    """Return the messages of a topic, by partition: those before a mark that is sent for it."""
    mark = new_id().encode()
    settings = {"bootstrap.servers": servers, "log_level": 0}
    producer = Producer(settings)
    consumer = Consumer(settings | {"group.id": mark.decode(), "enable.auto.commit": False})
    try:
        partitions = list(producer.list_topics(topic, timeout=DEADLINE).topics[topic].partitions)
        for partition in partitions:
            producer.produce(topic, value=mark, partition=partition)
        assert producer.flush(DEADLINE) == 0
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        found = []
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
