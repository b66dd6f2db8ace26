"""MongoDB keeps what BSON has, whatever the delivery."""

from __future__ import annotations

from datetime import datetime

import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from eventtracking_core import Tracker
from eventtracking_mongo import MongoBackend

OID = ObjectId("0123456789ab0123456789ab")
VALUES = {
    "id": OID,
    "price": Decimal128("9.90"),
    "raw": b"\x00\x01",
    "mutable": bytearray(b"\x00\x01"),
    "subtype": Binary(b"\x00\x01", 5),
    "long": Int64(3),
    "pattern": Regex("a", "i"),
    "moment": Timestamp(1, 2),
    "least": MinKey(),
    "most": MaxKey(),
    "at": datetime(2026, 9, 12, 12, 55),  # noqa: DTZ001  as pymongo reads
    "nested": [{"of": OID}],
}
STORED = VALUES | {"mutable": b"\x00\x01"}


@pytest.fixture(params=["inline", "queue", "spool"])
def tracker(request, mongo_uri, mongo_database, tmp_path):
    tracker = Tracker()
    delivery = {"mode": request.param}
    if request.param != "inline":
        delivery["directory"] = str(tmp_path)
    sink = {"type": "mongo", "uri": mongo_uri, "database": mongo_database.name}
    tracker.configure({"backends": {"m": {**sink, "delivery": delivery}}})
    yield tracker
    tracker.shutdown(10)


def test_values_of_bson_are_stored_as_they_are(tracker, stored):
    with tracker.context(user_id=OID):
        tracker.emit("sold", VALUES)
    assert tracker.flush(60)

    [document] = stored()

    assert document["context"] == {"user_id": OID}
    assert document["data"] == STORED
    assert {key: type(value) for key, value in document["data"].items()} == {
        key: type(value) for key, value in STORED.items()
    }


def test_users_stay_apart(tracker, stored):
    users = [ObjectId(), ObjectId(), 5, "a", b"raw"]
    for user in users:
        with tracker.context(user_id=user):
            tracker.emit("sold")
    assert tracker.flush(60)

    assert [document["context"]["user_id"] for document in stored()] == users


@pytest.mark.parametrize("user", [OID, 5, 5.0, "5"])
def test_a_user_is_found_by_its_text(a_backend, an_event, user):
    backend: MongoBackend = a_backend()
    backend.send(an_event(context={"user_id": user}))

    text = "5" if user in {5, "5"} else str(OID)

    assert backend.count(user=text) == 1


def test_a_value_that_only_claims_to_be_of_bson_costs_no_event(a_backend, some_events, stored):
    class Broken(ObjectId):
        @property
        def binary(self):
            raise RuntimeError

    events = some_events(3)
    events[1]["data"]["id"] = Broken()
    a_backend().send_batch(events, timeout=60)

    assert len(stored()) == 3
