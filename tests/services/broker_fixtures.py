"""Fixtures for tests with real message brokers, Valkey, RabbitMQ and Kafka; a pytest plugin.

`EVENTTRACKING_TEST_REDIS_URL` and `EVENTTRACKING_TEST_AMQP_URL` name brokers of one's own, for the
tests that only need one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from kafka_broker import Kafka
from rabbitmq_server import RabbitMQ
from started_server import lend
from valkey_server import Valkey

__all__ = ["amqp_url", "kafka", "rabbitmq", "redis_url", "shared_valkey", "valkey"]


@pytest.fixture(scope="session")
def shared_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """One server for the tests of a worker process. Leave it running."""
    yield from lend(Valkey(tmp_path_factory.mktemp("valkey")))


@pytest.fixture
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A server of the test's own, to kill and to restart."""
    yield from lend(Valkey(tmp_path_factory.mktemp("valkey")))


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """One server for the tests of a worker process, which may restart it: it starts slowly."""
    yield from lend(RabbitMQ(tmp_path_factory.mktemp("rabbitmq")))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One broker for the tests of a worker process. Leave it running."""
    yield from lend(Kafka(tmp_path_factory.mktemp("kafka")))


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> str:
    """The address of a Redis or Valkey that takes messages."""
    named = os.environ.get("EVENTTRACKING_TEST_REDIS_URL")
    if named is not None:
        return named
    server: Valkey = request.getfixturevalue("shared_valkey")
    return server.url


@pytest.fixture
def amqp_url(request: pytest.FixtureRequest) -> str:
    """The address of a RabbitMQ that takes messages."""
    named = os.environ.get("EVENTTRACKING_TEST_AMQP_URL")
    if named is not None:
        return named
    server: RabbitMQ = request.getfixturevalue("rabbitmq")
    return server.url
