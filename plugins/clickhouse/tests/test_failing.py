"""The server ends, says nothing, or loses its answers, while events come."""

from __future__ import annotations

import pytest
from faults import check_silence

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
    check_silence(proxy, store, an_event())
    assert store.count() == 1 + connected
    store.shutdown(5)


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
