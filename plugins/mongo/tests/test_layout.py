"""The collection that is made: its indexes, when events expire, and time series."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from eventtracking_mongo import MongoBackend


def indexes(database):
    return {
        next(iter(index["key"])): index.get("expireAfterSeconds")
        for index in database.events.list_indexes()
    }


def test_events_are_indexed_by_time_name_and_user(mongo_uri, mongo_database, an_event, a_backend):
    backend = MongoBackend(mongo_uri, database=mongo_database.name)
    backend.send(an_event())
    backend.shutdown(5)
    expected = {"_id": None, "timestamp": None, "name": None, "context.user_id": None}
    assert indexes(mongo_database) == expected


def test_the_indexes_are_those_that_are_asked_for(a_backend, an_event, mongo_database):
    a_backend(indexes=["data.problem_id"]).send(an_event())
    assert indexes(mongo_database) == {"_id": None, "data.problem_id": None}


def test_events_expire_after_their_time_to_live(a_backend, an_event, mongo_database, eventually):
    old, new = an_event(), an_event(timestamp=datetime.now(UTC))
    old["timestamp"] = datetime(2020, 1, 1, tzinfo=UTC)
    a_backend(ttl=3600.0, indexes=["timestamp", "name"]).send_batch([old, new], timeout=60)
    assert indexes(mongo_database) == {"_id": None, "timestamp": 3600, "name": None}
    # A server of one's own looks once a minute.
    eventually(lambda: mongo_database.events.count_documents({}) == 1, 100)
    assert [document["_id"] for document in mongo_database.events.find()] == [new["id"]]


def test_another_time_to_live_takes_the_place_of_the_first(a_backend, an_event, mongo_database):
    now = datetime.now(UTC)
    for ttl in (3600.0, 7200.0):
        a_backend(ttl=ttl).send(an_event(timestamp=now))
    assert indexes(mongo_database) == {"_id": None, "timestamp": 7200}
    assert mongo_database.events.count_documents({}) == 2


def test_an_index_that_the_server_refuses_is_logged_and_costs_no_event(
    a_backend, an_event, mongo_database, caplog
):
    mongo_database.events.create_index("name", sparse=True)
    with caplog.at_level(logging.ERROR, "eventtracking"):
        a_backend(indexes=["name", "timestamp"]).send(an_event())
    assert "rejects the index on name" in caplog.text
    assert mongo_database.events.count_documents({}) == 1
    assert "timestamp" in indexes(mongo_database)


def timeseries_options(database):
    [found] = database.list_collections(filter={"name": "events"})
    assert found["type"] == "timeseries"
    return found["options"]


def test_a_time_series_is_made_and_cannot_refuse_a_duplicate(a_backend, an_event, mongo_database):
    event = an_event(timestamp=datetime.now(UTC))
    for ttl in (3600.0, 7200.0):
        backend = a_backend(timeseries="minutes", ttl=ttl, indexes=["name", "timestamp"])
        backend.send_batch([event], timeout=60)
        options = timeseries_options(mongo_database)
        assert options["expireAfterSeconds"] == ttl
    assert options["timeseries"]["granularity"] == "minutes"
    assert options["timeseries"]["timeField"] == "timestamp"
    assert [document["_id"] for document in mongo_database.events.find()] == [event["id"]] * 2


@pytest.mark.parametrize("timeseries", [None, "seconds"])
def test_the_layout_is_made_again_in_no_batch_but_the_first(
    a_backend, an_event, mongo_database, timeseries
):
    backend = a_backend(indexes=["name"], timeseries=timeseries)
    backend.send(an_event())
    mongo_database.events.drop_index("name_1")
    backend.send(an_event())
    names = {index["name"] for index in mongo_database.events.list_indexes()}
    assert "name_1" not in names
