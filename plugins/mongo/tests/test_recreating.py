"""A collection that is dropped while events go to it, and an expiry that is configured no more."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest


def expiries(database):
    """Return the seconds after which an index deletes documents, by the index's field."""
    return {
        next(iter(index["key"])): index.get("expireAfterSeconds")
        for index in database.events.list_indexes()
    }


LAID_OUT = {"_id": None, "timestamp": 3600, "name": None}
OPTIONS = {"indexes": ["timestamp", "name"], "ttl": 3600}


@pytest.fixture
def now_event(an_event):
    return lambda: an_event(timestamp=datetime.now(UTC))


def test_a_dropped_collection_comes_back_with_its_indexes_and_expiry(
    a_backend, now_event, mongo_database
):
    backend = a_backend(**OPTIONS)
    for _ in range(3):
        backend.send_batch([now_event()], timeout=60)
        assert expiries(mongo_database) == LAID_OUT
        mongo_database.drop_collection("events")
    backend.send(now_event())
    assert expiries(mongo_database) == LAID_OUT


def test_a_dropped_database_comes_back_with_the_indexes_of_its_collection(
    a_backend, now_event, mongo_database
):
    backend = a_backend(**OPTIONS)
    backend.send(now_event())
    mongo_database.client.drop_database(mongo_database.name)
    backend.send(now_event())
    assert expiries(mongo_database) == LAID_OUT


def test_a_collection_that_another_took_the_place_of_gets_its_indexes(
    a_backend, now_event, mongo_database
):
    backend = a_backend(**OPTIONS)
    backend.send(now_event())
    mongo_database.drop_collection("events")
    mongo_database.events.insert_one({"of": "another program"})
    backend.send(now_event())
    assert expiries(mongo_database) == LAID_OUT


def test_a_dropped_time_series_comes_back_as_one(a_backend, now_event, mongo_database):
    backend = a_backend(timeseries="minutes", ttl=3600)
    for _ in range(2):
        backend.send(now_event())
        [found] = mongo_database.list_collections(filter={"name": "events"})
        assert found["type"] == "timeseries"
        assert found["options"]["expireAfterSeconds"] == 3600
        mongo_database.drop_collection("events")


def test_a_dropped_index_stays_dropped_until_the_next_start(a_backend, now_event, mongo_database):
    backend = a_backend(**OPTIONS)
    backend.send(now_event())
    mongo_database.events.drop_index("name_1")
    backend.send(now_event())
    assert "name" not in expiries(mongo_database)


def test_the_first_ttl_of_an_indexed_collection_takes_effect(a_backend, now_event, mongo_database):
    a_backend(indexes=["timestamp"]).send(now_event())
    assert expiries(mongo_database)["timestamp"] is None
    a_backend(**OPTIONS).send(now_event())
    assert expiries(mongo_database) == LAID_OUT


def test_an_expiry_that_is_configured_no_more_is_told_with_the_command_that_ends_it(
    a_backend, now_event, mongo_database, caplog
):
    a_backend(**OPTIONS).send(now_event())
    with caplog.at_level(logging.WARNING, "eventtracking"):
        a_backend(indexes=["timestamp", "name"]).send(now_event())
    assert expiries(mongo_database) == LAID_OUT  # it may be an operator's, not ours
    [record] = caplog.records
    assert "deletes events of the collection events 3600 seconds after" in record.getMessage()
    assert "db.getCollection('events').dropIndex('timestamp_1')" in record.getMessage()
    mongo_database.events.drop_index("timestamp_1")
    a_backend(indexes=["timestamp", "name"]).send(now_event())
    assert expiries(mongo_database) == {"_id": None, "timestamp": None, "name": None}
    assert mongo_database.events.count_documents({}) == 3


def test_an_expiry_of_a_time_series_that_is_configured_no_more_is_told(
    a_backend, now_event, mongo_database, caplog
):
    a_backend(timeseries="minutes", ttl=3600).send(now_event())
    with caplog.at_level(logging.WARNING, "eventtracking"):
        a_backend(timeseries="minutes").send(now_event())
    [record] = caplog.records
    command = {"collMod": "events", "expireAfterSeconds": "off"}
    assert "{collMod: 'events', expireAfterSeconds: 'off'}" in record.getMessage()
    mongo_database.command(command)
    caplog.clear()
    a_backend(timeseries="minutes").send(now_event())
    assert caplog.records == []


@pytest.mark.parametrize("options", ["w=0", "w=0&journal=false", "w=1&wtimeoutMS=1"])
def test_a_time_series_is_made_and_acknowledged_whatever_the_uri_says(
    a_backend, now_event, mongo_uri, mongo_database, options
):
    uri = f"{mongo_uri}{'&' if '?' in mongo_uri else '?'}{options}"
    a_backend(uri=uri, timeseries="minutes").send(now_event())
    [found] = mongo_database.list_collections(filter={"name": "events"})
    assert found["type"] == "timeseries"
    assert mongo_database.events.count_documents({}) == 1


def test_a_refused_event_is_no_delivery_though_the_uri_asks_for_no_answer(
    a_backend, an_event, mongo_uri, mongo_database
):
    from eventtracking_core import BatchError

    mongo_database.create_collection("events", validator={"data.number": {"$lt": 3}})
    uri = f"{mongo_uri}{'&' if '?' in mongo_uri else '?'}w=0"
    events = [an_event(data={"number": number}) for number in range(5)]
    with pytest.raises(BatchError) as caught:
        a_backend(uri=uri, extra={"w": 0}).send_batch(events, timeout=60)
    assert list(caught.value.failures) == [3, 4]
    assert mongo_database.events.count_documents({}) == 3
