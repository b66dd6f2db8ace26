"""The broker ends, says nothing, refuses, or is fork()ed away, while events come."""

from __future__ import annotations

import gc
import os
from collections import Counter
from time import monotonic

import pytest
from kafka_broker import Kafka
from sending import send

from eventtracking_core import BatchError, RejectedError, RetryableError, Tracker
from eventtracking_kafka import KafkaBackend
from eventtracking_kafka.settings import FIXED

QUICK = {"mode": "queue", "initial_interval": 0.05, "max_interval": 0.2}


def ids(found):
    return Counter(dict(message.headers())["id"].decode() for message in found)


@pytest.fixture
def a_tracker(topic, tmp_path):
    """Makes trackers that send to brokers."""
    made = []

    def make(servers, **options):
        tracker = Tracker()
        made.append(tracker)
        sink = {"type": "kafka", "servers": servers, "topic": topic, **options}
        delivery = QUICK | {"directory": str(tmp_path), "export_timeout": 2}
        tracker.configure({"backends": {"stream": sink | {"delivery": delivery}}})
        return tracker

    yield make
    for tracker in made:
        tracker.shutdown(1)


@pytest.fixture
def behind_a_proxy(tmp_path, fault_proxy):
    """A broker that clients find behind a proxy."""
    broker = Kafka(tmp_path)
    proxy = fault_proxy("127.0.0.1", broker.port)
    broker.advertised = proxy.port
    broker.start()
    yield broker, proxy
    broker.kill()


def test_a_broker_that_comes_later_gets_everything_once(tmp_path, a_tracker, messages):
    broker = Kafka(tmp_path)
    tracker = a_tracker(broker.servers)
    emitted = [tracker.emit("numbered", {"n": n}) for n in range(500)]
    assert not tracker.flush(0.2)
    broker.start()
    try:
        assert tracker.flush(60)
        assert ids(messages(broker.servers)) == Counter(emitted)
    finally:
        broker.kill()


def test_an_outage_under_load_loses_and_repeats_nothing(behind_a_proxy, a_tracker, messages):
    broker, proxy = behind_a_proxy
    tracker = a_tracker(broker.servers)
    emitted = []
    for _ in range(2):
        emitted += [tracker.emit("numbered", {"n": n}) for n in range(500)]
        proxy.refuses = True
        proxy.reset()
        emitted += [tracker.emit("numbered", {"n": n}) for n in range(500)]
        assert not tracker.flush(0.3)
        proxy.heal()
        assert tracker.flush(60)
    assert ids(messages(broker.servers)) == Counter(emitted)


def test_what_is_tried_again_after_a_silence_is_there_once(
    behind_a_proxy, a_backend, an_event, messages
):
    broker, proxy = behind_a_proxy
    backend = a_backend(broker.servers)
    events = [an_event(n=n) for n in range(100)]
    backend.send_batch(events[:50], timeout=60)
    proxy.is_black_hole = True
    for _ in range(2):
        before = monotonic()
        with pytest.raises(BatchError) as caught:
            backend.send_batch(events[50:], timeout=0.3)
        assert monotonic() - before < 30
        assert all(isinstance(error, RetryableError) for error in caught.value.failures.values())
    proxy.heal()
    backend.send_batch(events[50:], timeout=30)
    assert ids(messages(broker.servers)) == Counter(event["id"] for event in events)


def test_one_poison_event_of_a_hundred_is_rejected_alone(a_backend, an_event, messages):
    events = [an_event(n=n) for n in range(100)]
    events[37]["data"]["text"] = os.urandom(50_000).hex()
    backend = a_backend(max_message_bytes=10_000)
    with pytest.raises(BatchError) as caught:
        backend.send_batch(events, timeout=60)
    (index, error) = caught.value.failures.popitem()
    assert (index, type(error)) == (37, RejectedError)
    assert "MSG_SIZE_TOO_LARGE" in str(error)
    assert len(messages()) == 99


def test_failures_of_librdkafka_are_reported_to_a_later_attempt(monkeypatch, an_event):
    monkeypatch.setitem(FIXED, "message.timeout.ms", 2000)
    backend = KafkaBackend("127.0.0.1:1")
    events = [an_event(n=n) for n in range(10)]
    for timeout, said in [(0, "not confirmed in time"), (60, "TIMED_OUT")]:
        with pytest.raises(BatchError) as caught:
            backend.send_batch(events, timeout=timeout)
        assert len(caught.value.failures) == 10
        assert all(said in str(error) for error in caught.value.failures.values())
    backend.shutdown(0)


def test_a_producer_without_room_is_waited_for(a_backend, an_event, messages):
    backend = a_backend(extra={"queue.buffering.max.messages": 10})
    backend.send_batch([an_event(n=n) for n in range(200)], timeout=30)
    assert len(messages()) == 200


def test_a_child_has_a_producer_of_its_own(a_backend, an_event, messages):
    backend = a_backend()
    send(backend, an_event())
    for _ in range(3):
        child = os.fork()
        if child == 0:
            try:
                send(backend, an_event())
                backend.shutdown(5)
            finally:
                os._exit(0)
        send(backend, an_event())
        assert os.waitpid(child, 0)[1] == 0
    assert len(messages()) == 7


def test_a_child_that_collects_garbage_leaves_the_producers_of_its_parent_alone(
    a_backend, an_event
):
    for _ in range(3):
        backend = a_backend()
        send(backend, an_event())
        backend.shutdown(5)
    send(a_backend(), an_event())
    child = os.fork()
    if child == 0:
        gc.collect()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_nothing_is_connected_before_the_first_event(fault_proxy):
    backend = KafkaBackend("127.0.0.1:1")
    assert backend.flush(1)
    assert backend.shutdown(1)


def test_a_probe_says_who_answers(kafka):
    assert KafkaBackend(kafka.servers).probe(10) == "the cluster answers (1 broker)"
    with pytest.raises(RetryableError) as caught:
        KafkaBackend("127.0.0.1:1", username="ann", password="a-password").probe(0.3)
    assert "a-password" not in str(caught.value)
    assert "no broker can be reached" in str(caught.value)
    with pytest.raises(RetryableError, match="check ca"):
        KafkaBackend(kafka.servers, tls=True, ca="/nowhere.pem").probe(5)
