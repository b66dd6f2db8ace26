"""The server ends, says nothing, or loses its answers, while events come."""

from __future__ import annotations

import pytest
from faults import check_silence
from sending import send

from eventtracking_core import EventType, Tracker
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
    check_silence(proxy, store, an_event())
    assert store.count() == 1 + connected
    store.shutdown(5)
