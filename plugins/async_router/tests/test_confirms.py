"""What a broker's confirmation proves, and what is done where it proves nothing."""

from __future__ import annotations

import logging
import sys
import types
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event

import celery
import pytest
import redis
from amqp import NotFound
from kombu import Connection, Exchange, Queue

import eventtracking_core as et
from eventtracking_async_router import AsyncRouter
from eventtracking_core.events import new_id

pytestmark = pytest.mark.drivers


def events(count, size=0):
    now = datetime.now(UTC)
    return [
        {"id": new_id(), "name": "numbered", "timestamp": now, "context": {}, "data": data}
        for data in ({"n": n, "text": "x" * size} for n in range(count))
    ]


@pytest.fixture
def publisher(request):
    """Makes what stands at a node, and closes it with the test."""

    def make(broker, queue="confirmed", **options):
        made = AsyncRouter(broker=broker, queue=queue, **options).publisher("default", "node")
        request.addfinalizer(lambda: made.shutdown(5))
        return made

    return make


@pytest.fixture
def publisher_of(request, monkeypatch, amqp_url):
    """Makes a publisher of an application with a queue of its own."""

    def make(queue, **conf):
        app = celery.Celery("proj", broker=amqp_url, set_as_current=False)
        app.conf.update(task_queues=[queue], **conf)
        monkeypatch.setitem(sys.modules, "app_of_confirms", types.SimpleNamespace(app=app))
        node = AsyncRouter(app="app_of_confirms:app", queue=queue.name)
        made = node.publisher("default", "node")
        request.addfinalizer(lambda: made.shutdown(5))
        return made

    return make


@pytest.fixture
def channel(amqp_url):
    with Connection(amqp_url) as connection:
        yield connection.default_channel


def waiting(channel, queue):
    """Return how many messages a queue has, and take them."""
    return channel.queue_purge(queue)


def test_a_deleted_queue_is_declared_again_and_its_messages_arrive(amqp_url, publisher, channel):
    made = publisher(amqp_url, queue="deleted")
    made.send_batch(events(1), timeout=60)
    assert channel.queue_delete("deleted") == 1
    made.send_batch(events(1), timeout=60)
    assert waiting(channel, "deleted") == 1


def test_an_expired_queue_is_declared_again_and_its_messages_arrive(
    publisher_of, channel, eventually
):
    made = publisher_of(Queue("expiring", expires=0.1))
    made.send_batch(events(1), timeout=60)

    def is_gone():
        Event().wait(0.3)  # asking counts as a use, after which the queue stays for 0.1 s
        other = channel.connection.channel()
        try:
            other.queue_declare("expiring", passive=True)
        except NotFound:
            return True
        other.close()
        return False

    eventually(is_gone)
    sys.modules["app_of_confirms"].app.amqp.queues["expiring"].expires = 60  # time to look
    made.send_batch(events(1), timeout=60)
    assert waiting(channel, "expiring") == 1


def test_an_unbound_queue_is_bound_again_and_its_messages_arrive(publisher_of, channel):
    exchange = Exchange("elsewhere", type="topic")
    made = publisher_of(Queue("unbound", exchange, routing_key="events.#"))
    made.send_batch(events(1), timeout=60)
    channel.queue_unbind("unbound", exchange="elsewhere", routing_key="events.#")
    made.send_batch(events(1), timeout=60)
    assert waiting(channel, "unbound") == 2


def test_a_message_that_no_queue_takes_is_retried(publisher_of, channel):
    made = publisher_of(Queue("undeclared", no_declare=True))
    for _ in range(2):
        with pytest.raises(et.RetryableError, match="no queue accepts it"):
            made.send_batch(events(1), timeout=60)
    channel.queue_declare("undeclared", durable=True, auto_delete=False)
    made.send_batch(events(1), timeout=60)
    assert waiting(channel, "undeclared") == 1


def test_a_full_queue_that_refuses_messages_is_retried(publisher_of, channel):
    limited = {"x-max-length": 1, "x-overflow": "reject-publish"}
    made = publisher_of(Queue("limited", queue_arguments=limited))
    made.send_batch(events(1), timeout=60)
    with pytest.raises(et.RetryableError):
        made.send_batch(events(1), timeout=60)
    assert waiting(channel, "limited") == 1
    made.send_batch(events(1), timeout=60)


def test_no_message_expires_whatever_the_application_says_of_its_tasks(publisher_of, channel):
    made = publisher_of(
        Queue("lasting"),
        imports=["eventtracking_async_router.tasks"],
        task_annotations={"*": {"expires": 0.001}},
    )
    sys.modules["app_of_confirms"].app.loader.import_default_modules()
    sys.modules["app_of_confirms"].app.finalize()
    made.send_batch(events(1), timeout=60)
    message = channel.basic_get("lasting", no_ack=True)
    assert "expiration" not in message.properties
    assert message.headers["expires"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"durable": False}, "not durable"),
        ({"auto_delete": True}, "auto_delete"),
        ({"expires": 60}, "expires"),
        ({"message_ttl": 60}, "message_ttl"),
        ({"max_length": 10}, "reject-publish"),
        ({"queue_arguments": {"x-max-length-bytes": 1000}}, "reject-publish"),
    ],
)
def test_a_queue_that_may_lose_messages_is_named(publisher_of, channel, caplog, options, said):
    name = f"risky-{said.replace(' ', '-')}-{len(options)}{next(iter(options))}"
    with caplog.at_level(logging.ERROR, "eventtracking"):
        publisher_of(Queue(name, **options)).send_batch(events(1), timeout=60)
    channel.queue_delete(name)
    assert f"can lose confirmed messages of queue {name}" in caplog.text
    assert said in caplog.text


def test_a_queue_of_ours_is_no_risk(amqp_url, redis_url, publisher, caplog):
    with caplog.at_level(logging.INFO, "eventtracking"):
        publisher(amqp_url).send_batch(events(1), timeout=60)
        publisher(redis_url).send_batch(events(1), timeout=60)
    assert "can lose" not in caplog.text


@contextmanager
def settings(url, **options):
    """Set options of a server for a while."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        before = {}
        for option in options:
            before |= client.config_get(option.replace("_", "-"))
        for option, value in options.items():
            client.config_set(option.replace("_", "-"), value)
        try:
            yield client
        finally:
            for option, value in before.items():
                client.config_set(option, value)


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_a_server_that_may_evict_queues_is_named(valkey, publisher, caplog, policy):
    with settings(valkey.url, maxmemory_policy=policy), caplog.at_level(logging.ERROR):
        publisher(valkey.url, queue=policy).send_batch(events(1), timeout=60)
    assert f"maxmemory-policy {policy} evicts queues" in caplog.text


@pytest.mark.parametrize("policy", ["noeviction", "volatile-lru"])
def test_a_server_without_memory_is_retried_and_loses_nothing(valkey, publisher, caplog, policy):
    made = publisher(valkey.url)
    made.send_batch(events(10), timeout=60)
    with settings(valkey.url, maxmemory_policy=policy, maxmemory=1) as client:
        with pytest.raises(et.RetryableError, match="out of memory"):
            made.send_batch(events(10), timeout=60)
        assert client.llen("confirmed") == 1
    made.send_batch(events(10), timeout=60)
    assert client.llen("confirmed") == 2
    assert "can lose" not in caplog.text


def test_a_user_who_may_not_ask_for_the_policy_publishes(valkey, publisher, caplog):
    with redis.Redis.from_url(valkey.url) as client:
        client.acl_setuser(
            "tracking", enabled=True, nopass=True, keys="*", channels="*",
            categories=["+@all"], commands=["-info"],
        )  # fmt: skip
        url = valkey.url.replace("://", "://tracking:anything@")
        with caplog.at_level(logging.INFO, "eventtracking"):
            publisher(url).send_batch(events(1), timeout=60)
        assert client.llen("confirmed") == 1
    assert "cannot be checked" in caplog.text
    assert "anything" not in caplog.text
