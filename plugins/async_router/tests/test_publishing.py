"""Publishing when the broker is well, silent or away, and when a batch is too large."""

from __future__ import annotations

import socket
from time import perf_counter
from urllib.parse import urlsplit

import pytest
from fault_proxy import crawl, fall_silent, refuse
from waiting import at_most

import eventtracking_core as et
from eventtracking_async_router import AsyncRouter
from eventtracking_core.events import new_id

pytestmark = pytest.mark.drivers


def events(count, size=0):
    from datetime import UTC, datetime

    return [
        {
            "id": new_id(),
            "name": "numbered",
            "timestamp": datetime.now(UTC),
            "context": {},
            "data": {"n": n, "text": "x" * size},
        }
        for n in range(count)
    ]


@pytest.fixture
def publisher():
    """Makes what stands at a node, and closes it with the test."""
    from contextlib import ExitStack

    with ExitStack() as opened:

        def make(broker, **options):
            node = AsyncRouter(broker=broker, **{"queue": "unread"} | options)
            made = node.publisher("default", "node")
            opened.callback(made.shutdown, 5)
            return made

        yield make


def through(proxy, url):
    parts = urlsplit(url)
    credentials, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{credentials}{at}127.0.0.1:{proxy.port}").geturl()


@pytest.fixture
def proxy(broker, fault_proxy):
    parts = urlsplit(broker)
    return fault_proxy(parts.hostname, parts.port)


@pytest.mark.parametrize("fail", [refuse, fall_silent, crawl])
def test_no_attempt_outlasts_its_timeout_and_the_next_one_succeeds(broker, proxy, publisher, fail):
    made = publisher(through(proxy, broker))
    made.send_batch(events(10), timeout=60)
    fail(proxy)
    for _ in range(2):  # over the connection that is open, and over a new one
        with at_most(1.3), pytest.raises(et.RetryableError, match="broker"):
            made.send_batch(events(100), timeout=1)
    proxy.heal()
    proxy.reset()
    made.send_batch(events(10), timeout=60)


def test_a_broker_that_nobody_listens_for_is_named_by_what_is_wrong_and_no_secret(publisher):
    made = publisher("redis://:secret@127.0.0.1:1/0")
    with pytest.raises(et.RetryableError) as caught:
        made.send_batch(events(1), timeout=1)
    assert str(caught.value) == "the broker cannot be reached: Connection refused"


def test_a_black_hole_slows_no_emit_and_loses_nothing(site, redis_url, fault_proxy):
    proxy = fault_proxy(*redis_url.removeprefix("redis://").removesuffix("/0").split(":"))
    node = site.node(f"redis://127.0.0.1:{proxy.port}/0", {"store": site.store()})
    node["delivery"] |= {"export_timeout": 5}
    site.configure(node=node)
    tracker = site.tracker()
    tracker.emit("numbered", {"n": 0})
    assert tracker.flush(60)
    proxy.is_black_hole = True
    took = []
    for n in range(20_000):
        start = perf_counter()
        tracker.emit("numbered", {"n": n})
        took.append(perf_counter() - start)
    assert sorted(took)[int(len(took) * 0.99)] < 0.001
    assert max(took) < 3
    proxy.heal()
    assert tracker.flush(60)
    [leaf] = tracker.stats()["tree"]["backends"][0]["backends"]
    assert leaf["delivered"] == leaf["accepted"] == 20_001


def test_a_batch_larger_than_a_message_goes_in_several(redis_url, publisher, queued):
    made = publisher(redis_url, queue="several", max_message_size=10_000)
    made.send_batch(events(30, size=1000), timeout=60)
    assert queued(redis_url, "several") == 4


def test_an_event_larger_than_a_message_is_refused_alone(redis_url, publisher, queued):
    made = publisher(redis_url, queue="refusing", max_message_size=10_000)
    with pytest.raises(et.BatchError) as caught:
        made.send_batch([*events(2), *events(1, size=10_000), *events(2)], timeout=60)
    assert list(caught.value.failures) == [2]
    assert isinstance(caught.value.failures[2], et.RejectedError)
    assert queued(redis_url, "refusing") == 1


@pytest.fixture
def queued():
    """Counts the messages in a queue on Redis."""
    import redis

    def count(url, queue):
        with redis.Redis.from_url(url) as client:
            return client.llen(queue)

    return count


def test_a_forked_child_publishes_over_a_connection_of_its_own(redis_url, publisher, queued):
    import os

    made = publisher(redis_url, queue="forked")
    made.send_batch(events(1), timeout=60)
    child = os.fork()
    if not child:
        made.send_batch(events(1), timeout=60)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    made.send_batch(events(1), timeout=60)
    assert queued(redis_url, "forked") == 3


def test_closing_leaves_the_timeouts_of_the_applications_own_sockets_alone(
    broker, publisher, monkeypatch
):
    made = publisher(broker)
    made.send_batch(events(1), timeout=60)
    changes = []
    monkeypatch.setattr(socket, "setdefaulttimeout", changes.append)
    assert made.shutdown(5)
    assert changes == []


def test_an_application_that_cannot_be_imported_is_tried_again():
    made = AsyncRouter(app="nowhere.at_all:app").publisher("default", "node")
    with pytest.raises(et.RetryableError, match=r"nowhere\.at_all:app cannot be imported"):
        made.send_batch(events(1), timeout=1)


def test_the_messages_that_wait_for_workers_are_counted(broker, publisher):
    unread = publisher(broker, queue=f"unread-{new_id()}")

    assert unread.backlog(10) == 0
    for event in events(3):
        unread.send_batch([event], timeout=60)

    assert unread.backlog(10) == 3
    unread.send_batch(events(2), timeout=60)
    assert unread.backlog(10) == 4


def test_a_broker_that_is_away_says_so_instead_of_a_backlog(publisher):
    with pytest.raises(et.RetryableError, match="cannot be reached"):
        publisher("redis://127.0.0.1:9").backlog(2)
