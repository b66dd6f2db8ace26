"""Records of event types, in a collection beside the events."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from eventtracking_core import EventType, FieldDoc, RetryableError
from eventtracking_mongo import MongoBackend

WHEN = datetime(2026, 9, 12, 12, 55, tzinfo=UTC)


def a_record():
    schema = {"$id": "urn:x", "$ref": "#/$defs/a.b", "$defs": {"a.b": {"type": "object"}}}
    fields = (FieldDoc("problem_id", "Which problem.", pii="id", enum=("p1", 2**70)),)
    return EventType(name="problem.check", fields=fields, schema=schema).at(WHEN, ["a.py:1"])


def test_records_can_be_searched_for(a_backend, mongo_database):
    a_backend().save_event_type(a_record())
    found = mongo_database["event_types"].find_one({"fields.pii": "id"})

    assert found["_id"] == a_record().id
    assert found["name"] == "problem.check"


def test_the_collection_is_as_it_is_called(a_backend, stored):
    a_backend(event_types="what_it_means").save_event_type(a_record())

    assert [document["_id"] for document in stored("what_it_means")] == [a_record().id]
    assert stored("event_types") == []


def test_who_saves_at_once_stores_a_record_once(a_backend, stored):
    backends = [a_backend() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(backend.save_event_type, a_record()) for backend in backends]:
            done.result()

    assert len(stored("event_types")) == 1
    assert a_backend().load_event_types() == [a_record()]


@pytest.mark.once
def test_without_a_server_a_record_is_to_be_tried_again():
    quick = {"serverSelectionTimeoutMS": 100}
    backend = MongoBackend("mongodb://127.0.0.1:1", extra=quick)
    with pytest.raises(RetryableError, match="no primary server"):
        backend.save_event_type(a_record())
    backend.shutdown(1)
