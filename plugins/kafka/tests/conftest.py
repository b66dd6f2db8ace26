"""Topics of the tests' own, backends, and what the broker has."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from kafka_broker import read_topic

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
    return lambda servers=None, name=topic: read_topic(servers or kafka.servers, name)
