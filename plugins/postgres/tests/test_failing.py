"""The server ends, says nothing, or loses its answers, while events come."""

from __future__ import annotations

import os
import socket
import threading
from time import monotonic

import pytest
from sending import send
from waiting import wait_until

from eventtracking_core import EventType, RetryableError, Tracker
from eventtracking_postgres import PostgresBackend

QUICK = {"mode": "queue", "initial_interval": 0.05, "max_interval": 0.2, "max_batch_size": 50}


@pytest.fixture
def a_tracker(schema, tmp_path):
    """Makes trackers that send to a server's address."""
    made = []

    def make(uri, **options):
        tracker = Tracker()
        made.append(tracker)
        delivery = QUICK | {"directory": str(tmp_path)} | options
        sink = {"type": "postgres", "uri": uri, "table": f"{schema}.events", "delivery": delivery}
        tracker.configure({"backends": {"store": sink}})
        return tracker

    yield make
    for tracker in made:
        tracker.shutdown(1)


def counts(tracker):
    (leaf,) = tracker.stats()["tree"]["backends"]
    return leaf


def test_a_server_that_crashes_under_load_loses_and_repeats_nothing(postgres, a_tracker, a_store):
    tracker = a_tracker(postgres.uri)
    emitted, done = [], threading.Event()

    def emit():
        while not done.wait(0.001):
            emitted.append(tracker.emit("numbered", {"n": len(emitted)}))

    emitter = threading.Thread(target=emit)
    emitter.start()
    try:
        for _ in range(2):
            wait_until(lambda: counts(tracker)["delivered"] > len(emitted) / 2 > 50)
            postgres.kill()
            _emitted_more(emitted, 100)
            postgres.start()
    finally:
        done.set()
        emitter.join()
    assert tracker.flush(60)
    assert [event["id"] for event in a_store().query(after="")] == emitted


def test_a_batch_whose_acknowledgement_is_lost_is_stored_once(
    postgres, a_tracker, a_store, fault_proxy
):
    proxy = fault_proxy("127.0.0.1", postgres.port)
    tracker = a_tracker(postgres.uri.replace(f":{postgres.port}", f":{proxy.port}"))
    emitted = [tracker.emit("numbered", {"n": -1})]
    assert tracker.flush(60)
    proxy.lose_answers(b"COMMIT", 2)
    emitted += [tracker.emit("numbered", {"n": n}) for n in range(100)]
    assert tracker.flush(60)
    assert sorted(event["id"] for event in a_store().query()) == emitted
    assert counts(tracker)["delivered"] == len(emitted)


def test_one_poison_event_of_a_hundred_is_a_dead_letter(postgres, a_tracker, a_store, schema, sql):
    a_store().save_event_type(EventType(name="numbered"))  # creates the tables
    sql(f"ALTER TABLE {schema}.events ADD CHECK (event #>> '{{data,n}}' <> '37')")
    tracker = a_tracker(postgres.uri, max_batch_size=100)
    for n in range(100):
        tracker.emit("numbered", {"n": n})
    assert tracker.flush(60)
    assert a_store().count(name="numbered") == 99
    assert counts(tracker)["dead_lettered"] == 1


@pytest.mark.parametrize("connected", [False, True])
def test_a_server_that_says_nothing_is_left_in_time(
    connected, postgres, an_event, fault_proxy, schema
):
    proxy = fault_proxy("127.0.0.1", postgres.port)
    uri = postgres.uri.replace(f":{postgres.port}", f":{proxy.port}")
    store = PostgresBackend(uri, f"{schema}.events")
    if connected:
        send(store, an_event())
    proxy.is_black_hole = True
    before = monotonic()
    with pytest.raises(RetryableError):
        store.send_batch([an_event()], timeout=0.3)
    assert monotonic() - before < 30
    proxy.heal()
    send(store, an_event())
    assert store.count() == 1 + connected
    store.shutdown(5)


def test_a_port_that_accepts_and_says_nothing_is_left_in_time(an_event):
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"postgresql://user:a-password@127.0.0.1:{server.getsockname()[1]}/events"
        with pytest.raises(RetryableError) as caught:
            PostgresBackend(uri).send_batch([an_event()], timeout=0.3)
    assert "a-password" not in str(caught.value)


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


def _emitted_more(emitted, number):
    before = len(emitted)
    wait_until(lambda: len(emitted) > before + number)
