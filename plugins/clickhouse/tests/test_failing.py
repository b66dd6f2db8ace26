"""The server ends, says nothing, or loses its answers, while events come."""

from __future__ import annotations

import os
import socket
import threading
from time import monotonic

import pytest
from sending import send

from eventtracking_clickhouse import ClickHouseBackend
from eventtracking_core import EventType, RetryableError, Tracker

QUICK = {"mode": "queue", "initial_interval": 0.05, "max_interval": 0.2, "max_batch_size": 200}


@pytest.fixture
def a_tracker(database, tmp_path):
    """Makes trackers that send to a server's address."""
    made = []

    def make(uri, **options):
        tracker = Tracker()
        made.append(tracker)
        delivery = QUICK | {"directory": str(tmp_path)} | options
        sink = {"type": "clickhouse", "uri": uri, "table": f"{database}.events", "create": True}
        tracker.configure({"backends": {"store": sink | {"delivery": delivery}}})
        return tracker

    yield make
    for tracker in made:
        tracker.shutdown(1)


def counts(tracker):
    (leaf,) = tracker.stats()["tree"]["backends"]
    return leaf


def test_a_server_that_is_killed_under_load_loses_and_repeats_nothing(
    clickhouse, a_tracker, a_store, eventually
):
    tracker = a_tracker(clickhouse.uri)
    emitted, done = [], threading.Event()

    def emit():
        while not done.wait(0.001):
            emitted.append(tracker.emit("numbered", {"n": len(emitted)}))

    def more_are_emitted():
        before = len(emitted)
        eventually(lambda: len(emitted) > before + 100)

    emitter = threading.Thread(target=emit)
    emitter.start()
    try:
        for _ in range(2):
            before = counts(tracker)["delivered"]
            eventually(lambda before=before: counts(tracker)["delivered"] > before + 100)
            clickhouse.kill()
            more_are_emitted()
            clickhouse.start()
    finally:
        done.set()
        emitter.join()
    assert tracker.flush(60)
    assert [event["id"] for event in a_store().query(after="")] == emitted


def test_a_batch_whose_answer_is_lost_is_stored_once(clickhouse, a_tracker, a_store, fault_proxy):
    proxy = fault_proxy("127.0.0.1", clickhouse.port)
    tracker = a_tracker(clickhouse.uri.replace(f":{clickhouse.port}", f":{proxy.port}"))
    emitted = [tracker.emit("numbered", {"n": -1})]
    assert tracker.flush(60)
    proxy.lose_answers(b"FORMAT Native", 2)
    emitted += [tracker.emit("numbered", {"n": n}) for n in range(100)]
    assert tracker.flush(60)
    assert proxy.lost
    assert [event["id"] for event in a_store().query(after="")] == emitted
    assert counts(tracker)["delivered"] == len(emitted)


def test_one_poison_event_of_a_hundred_is_a_dead_letter(
    clickhouse, a_tracker, a_store, database, sql
):
    a_store().save_event_type(EventType(name="numbered"))  # creates the tables
    check = "JSONExtractInt(event, 'data', 'n') != 37"
    sql(f"ALTER TABLE {database}.events ADD CONSTRAINT no_37 CHECK {check}")
    tracker = a_tracker(clickhouse.uri, max_batch_size=100)
    for n in range(100):
        tracker.emit("numbered", {"n": n})
    assert tracker.flush(60)
    assert a_store().count(name="numbered") == 99
    assert counts(tracker)["dead_lettered"] == 1


@pytest.mark.parametrize("connected", [False, True])
def test_a_server_that_says_nothing_is_left_in_time(
    connected, clickhouse, an_event, fault_proxy, database
):
    proxy = fault_proxy("127.0.0.1", clickhouse.port)
    uri = clickhouse.uri.replace(f":{clickhouse.port}", f":{proxy.port}")
    store = ClickHouseBackend(uri, f"{database}.events", create=True)
    if connected:
        store.send_batch([an_event()], timeout=60)
    proxy.is_black_hole = True
    before, event = monotonic(), an_event()
    with pytest.raises(RetryableError):
        store.send_batch([event], timeout=0.3)
    assert monotonic() - before < 30
    proxy.heal()  # what it held back may arrive now
    store.send_batch([event], timeout=60)
    assert store.count() == 1 + connected
    store.shutdown(5)


def test_a_port_that_accepts_and_says_nothing_is_left_in_time(an_event):
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"clickhouse://user:a-password@127.0.0.1:{server.getsockname()[1]}/events"
        with pytest.raises(RetryableError) as caught:
            ClickHouseBackend(uri).send_batch([an_event()], timeout=0.3)
    assert "a-password" not in str(caught.value)


def test_an_answer_that_breaks_off_is_no_answer(
    a_store, an_event, clickhouse, fault_proxy, database
):
    a_store().send_batch([an_event(n=n, text="x" * 1000) for n in range(2000)], timeout=60)
    proxy = fault_proxy("127.0.0.1", clickhouse.port)
    uri = clickhouse.uri.replace(f":{clickhouse.port}", f":{proxy.port}")
    events = ClickHouseBackend(uri, f"{database}.events").query()
    proxy.bytes_per_second = 500_000
    next(events)
    proxy.reset()
    with pytest.raises(RetryableError):
        list(events)


def test_a_child_leaves_the_connection_of_its_parent_alone(a_store, an_event):
    store = a_store()
    send(store, an_event())
    for _ in range(5):
        child = os.fork()
        if child == 0:
            try:
                send(store, an_event())
                store.shutdown(1)
            finally:
                os._exit(0)
        send(store, an_event())
        os.waitpid(child, 0)
    assert store.count() == 11
