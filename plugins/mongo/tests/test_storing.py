"""What is stored of events, each of them once, and what becomes of those that cannot be stored."""

from __future__ import annotations

import copy
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from bson.codec_options import CodecOptions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from waiting import wait_until

from eventtracking_core import BatchError, RejectedError, RetryableError
from eventtracking_core.encoding import normalize_event

pytestmark = pytest.mark.drivers


def test_an_event_is_a_document_with_its_id_as_the_key(a_backend, an_event, stored):
    event = an_event(id="01997c9e-0000-7000-8000-000000000001", name_id="10ac28")
    a_backend().send_batch([event], timeout=60)
    assert stored() == [
        {
            "_id": "01997c9e-0000-7000-8000-000000000001",
            "name": "edx.problem.check",
            "timestamp": datetime(2026, 9, 12, 12, 55, 0, 123000),  # noqa: DTZ001  as pymongo reads
            "context": {"user_id": 7},
            "data": {"attempts": 3},
            "name_id": "10ac28",
        }
    ]


def test_the_timestamp_is_a_date_that_can_be_asked_for(a_backend, an_event, mongo_database):
    a_backend().send(an_event())
    early, late = datetime(2026, 9, 12, tzinfo=UTC), datetime(2026, 9, 13, tzinfo=UTC)
    between = {"timestamp": {"$type": "date", "$gte": early, "$lt": late}}
    assert mongo_database.events.count_documents(between) == 1


def test_events_are_not_changed(a_backend, an_event):
    backend = a_backend()
    events = [an_event(), an_event(data={"set": {1, 2}})]
    before = copy.deepcopy(events)
    backend.send_batch(events, timeout=60)
    backend.send(events[0])
    assert events == before


def test_nothing_to_write_is_written(a_backend):
    a_backend(host="no-such-host.invalid").send_batch([], timeout=0.1)


def test_an_event_that_is_sent_again_is_stored_once(a_backend, some_events, stored):
    backend = a_backend()
    events = some_events(10)
    backend.send_batch(events[:6], timeout=60)
    backend.send_batch(events, timeout=60)
    backend.send_batch([events[0], events[0]], timeout=60)
    backend.send(events[9])
    assert [document["data"]["number"] for document in stored()] == list(range(10))


def test_a_duplicate_in_another_unique_index_is_rejected(a_backend, some_events, mongo_database):
    mongo_database.events.create_index("data.number", unique=True)
    first, second, third = some_events(3)
    second["data"]["number"] = 0
    with pytest.raises(BatchError) as failed:
        a_backend().send_batch([first, second, third], timeout=60)
    assert set(failed.value.failures) == {1}
    assert isinstance(failed.value.failures[1], RejectedError)
    assert mongo_database.events.count_documents({}) == 2


def test_a_document_that_the_server_refuses_is_rejected_alone(
    a_backend, some_events, mongo_database
):
    mongo_database.create_collection("events", validator={"data.number": {"$lt": 99}})
    events = some_events(100)
    backend = a_backend()
    with pytest.raises(BatchError) as failed:
        backend.send_batch(events, timeout=60)
    assert {index: type(error) for index, error in failed.value.failures.items()} == {
        99: RejectedError
    }
    assert mongo_database.events.count_documents({}) == 99
    with pytest.raises(RejectedError, match="code 121"):
        backend.send(events[99])


class Hostile:
    """An object that raises whatever is asked of it."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __str__(self):
        raise RuntimeError


def test_a_poisoned_event_does_not_stop_the_other_ninety_nine(a_backend, some_events, stored):
    events = some_events(100)
    events[50]["data"] = {"poison": Hostile()}
    a_backend().send_batch(events, timeout=60)
    assert len(stored()) == 100
    assert stored()[50]["data"]["poison"].endswith("Hostile>")


def test_an_oversize_event_is_rejected_before_the_server_sees_it(a_backend, some_events, stored):
    events = some_events(100)
    events[50]["data"]["text"] = "x" * (17 * 2**20)
    with pytest.raises(BatchError) as failed:
        a_backend().send_batch(events, timeout=60)
    assert set(failed.value.failures) == {50}
    assert isinstance(failed.value.failures[50], RejectedError)
    assert "16 MiB" in str(failed.value.failures[50])
    assert len(stored()) == 99


def test_a_batch_that_is_too_large_for_one_message_is_stored(
    a_backend, some_events, mongo_database
):
    events = some_events(4)
    for event in events:
        event["data"]["text"] = "x" * (13 * 10**6)
    a_backend().send_batch(events, timeout=60)
    assert mongo_database.events.count_documents({}) == 4


def test_an_event_nested_too_deeply_for_the_server_is_cut(a_backend, some_events, stored):
    events = some_events(3)
    nested: object = 1
    for _ in range(300):
        nested = {"a": nested}
    events[1]["data"]["nested"] = nested
    a_backend().send_batch(events, timeout=60)
    assert len(stored()) == 3


def _cycle() -> dict[str, object]:
    data: dict[str, object] = {}
    data["itself"] = data
    return data


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**70, str(2**70)),
        ({1, 2}, [1, 2]),
        (Decimal("1.10"), "1.10"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (date(2026, 9, 12), "2026-09-12"),
        ("a\ud800b", "a\ufffdb"),
        ({1: "a", "1": "b"}, {"1": "a", "1~2": "b"}),
        ({"a\0b": 1}, {"ab": 1}),
        ({"": 1, "$set": 2, "a.b": 3}, {"": 1, "$set": 2, "a.b": 3}),
        (_cycle(), {"itself": "<cycle>"}),
    ],
)
def test_what_bson_cannot_hold_is_stored_in_its_normal_form(
    a_backend, an_event, stored, value, expected
):
    backend = a_backend()
    backend.send_batch([an_event(data={"value": value})], timeout=60)
    backend.send(an_event(data={"value": value}))
    assert [document["data"]["value"] for document in stored()] == [expected, expected]


@pytest.mark.parametrize("broken", [{"id": None}, {"id": 7}, {"timestamp": "2026-09-12T00:00:00Z"}])
def test_an_event_without_an_id_or_a_time_is_given_one(a_backend, an_event, stored, broken):
    backend = a_backend()
    backend.send_batch([an_event(**broken), an_event(**broken)], timeout=60)
    documents = stored()
    assert len(documents) == 2
    assert all(isinstance(document["_id"], str) for document in documents)
    assert all(isinstance(document["timestamp"], datetime) for document in documents)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.datetimes(timezones=st.just(UTC)).map(lambda when: when.replace(microsecond=0)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def is_sent(backend, event):
    """Return whether the server took an event; a busy one may not answer in the time of `send`."""
    with suppress(RetryableError):
        backend.send(event)
        return True
    return False


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.dictionaries(st.text(), plain, max_size=4))
def test_what_is_stored_is_the_normal_form_of_the_event(
    one_backend, an_event, mongo_database, data
):
    alone, in_a_batch = an_event(data=data), an_event(data=data)
    wait_until(lambda: is_sent(one_backend, alone))
    one_backend.send_batch([normalize_event(in_a_batch)], timeout=60)
    aware = mongo_database.get_collection("events", CodecOptions(tz_aware=True))
    for event in (alone, in_a_batch):
        found = aware.find_one({"_id": event["id"]})
        assert found["data"] == normalize_event(event)["data"]


@pytest.fixture
def one_backend(a_backend):
    return a_backend()
