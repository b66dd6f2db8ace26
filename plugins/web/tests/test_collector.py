"""What the endpoint for browsers accepts, what it adds, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from starlette.testclient import TestClient

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_web import ASGIMiddleware, collector
from eventtracking_web.collecting.buckets import MAX_BUCKETS, Buckets

ORIGIN = "https://shop.example.org"
KEYS = {"public": ["shop."], "any": []}
ID = "01997c9e-0000-7000-8000-000000000001"


@pytest.fixture
def endpoint(tracker):
    """Makes an endpoint; it returns an object to send batches with."""

    def make(client=("203.0.113.9", 50000), **options):
        options = {"keys": KEYS, "origins": [ORIGIN], "tracker": tracker} | options
        return TestClient(collector(**options), client=client, headers={"origin": ORIGIN})

    return make


def batch(*events, **fields):
    return {"key": "public", "client": "browser-1", "events": list(events)} | fields


def an_event(**fields):
    return {"id": ID, "name": "shop.page.viewed", "data": {"n": 1}} | fields


def test_an_event_enters_the_tracker_with_the_context_of_the_server(endpoint, memory):
    forged = {"origin": "server", "user_id": 1, "ip": "1.2.3.4", "received_at": "x", "page": "/a"}
    sent = batch(an_event(context=forged))
    response = endpoint(user=lambda scope: 7).post("/", json=sent)
    assert (response.status_code, response.json()) == (200, {"accepted": 1, "rejected": []})
    [event] = memory.events
    assert (event["name"], event["data"]) == ("shop.page.viewed", {"n": 1})
    received = datetime.fromisoformat(event["context"].pop("received_at"))
    assert datetime.now(UTC) - received < timedelta(minutes=5)
    expected = {"origin": "client", "user_id": 7, "ip": "203.0.113.0", "page": "/a"}
    assert event["context"] == expected


def test_the_request_of_the_endpoint_is_not_that_of_the_event(tracker, memory):
    endpoint = collector(tracker, keys=KEYS, origins=[ORIGIN])
    client = TestClient(ASGIMiddleware(endpoint, tracker=tracker), headers={"origin": ORIGIN})
    client.post("/e", json=batch(an_event()))
    assert memory.events[0]["context"].keys() == {"origin", "received_at"}


def test_a_visitor_without_a_session_cannot_claim_to_be_a_user(endpoint, memory):
    endpoint().post("/", json=batch(an_event(context={"user_id": 1, "course_id": "c"})))
    assert "user_id" not in memory.events[0]["context"]
    assert "course_id" not in memory.events[0]["context"]


def test_ids_are_the_same_for_a_repeated_event_and_cannot_be_chosen(endpoint, memory):
    client = endpoint()
    for sent in (
        batch(an_event()),
        batch(an_event()),
        batch(an_event(), client="browser-2"),
        batch(an_event(), key="any"),
        batch(an_event(id="short")),
        # The parts of the hash cannot be shifted into each other.
        batch(an_event(id="1short"), client="browser-"),
    ):
        assert client.post("/", json=sent).json()["accepted"] == 1
    ids = [event["id"] for event in memory.events]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 5
    assert ID not in ids
    assert [id_[:13] for id_ in ids[:4]] == [ID[:13]] * 4
    assert {UUID(id_).version for id_ in ids} == {7, 8}


@pytest.mark.parametrize(
    ("ago", "skew", "expected"),
    [(10, 0, 10), (10, 3600, 10), (10, -3600, 10), (-600, 0, 0), (30 * 86400, 0, 7 * 86400)],
)
def test_times_are_corrected_by_the_clock_of_the_client_and_clamped(
    endpoint, memory, ago, skew, expected
):
    now = datetime.now(UTC) + timedelta(seconds=skew)
    event = an_event(timestamp=(now - timedelta(seconds=ago)).isoformat())
    endpoint().post("/", json=batch(event, sent_at=now.isoformat()))
    age = datetime.now(UTC) - memory.events[0]["timestamp"]
    assert abs(age.total_seconds() - expected) < 60


def test_a_bad_event_is_reported_by_its_index_and_the_others_are_accepted(endpoint, memory):
    bad = [
        5,
        {"name": "shop.a"},
        an_event(name=""),
        an_event(name="shop.\n"),
        an_event(name="shop." + "x" * 255),
        an_event(id="x" * 65),
        an_event(data=[1]),
        an_event(data={"text": "x" * 33000}),
        an_event(name="grades.changed"),
    ]
    response = endpoint().post("/", json=batch(an_event(), *bad, an_event(id="2")))
    assert response.status_code == 200
    assert response.json()["accepted"] == 2
    assert [each["index"] for each in response.json()["rejected"]] == list(range(1, 10))
    assert len(memory.events) == 2


@pytest.mark.parametrize(
    "moment", ["2026-11-28T12:00:00Z", "2026-11-28T13:00:00.5+01:00", "2026-11-28", "x", None]
)
def test_an_event_is_the_same_whatever_comes_with_it(endpoint, memory, moment):
    """Events that are read in one step with their batch, and those that are read alone."""
    number = {"big": 2**64, "small": -1.5e-3, "text": "\u2028"}
    event = an_event(data={"n": number}, context={"page": "/a"}, timestamp=moment)
    for others in ([], [5], [an_event(data={"text": "x" * 32000}) for _ in range(2)]):
        endpoint().post("/", json=batch(event, *others, sent_at="2026-11-28T12:00:00Z"))
    stored = [each for each in memory.events if "n" in each["data"] and each["data"]["n"] == number]
    assert len(stored) == 3
    for each in stored:  # of requests at different times
        del each["context"]["received_at"]
        assert each.pop("timestamp").tzinfo is UTC
    assert stored[0] == stored[1] == stored[2]


@pytest.mark.parametrize(
    ("unregistered", "names"),
    [
        ("accept", ["shop.known", "shop.unknown"]),
        ("refuse", ["shop.known"]),
        ("namespace", ["shop.known", "client.shop.unknown"]),
    ],
)
def test_names_that_are_not_registered_follow_the_policy(
    endpoint, tracker, memory, unregistered, names
):
    tracker.register("shop.known", "Known.")
    sent = batch(an_event(name="shop.known"), an_event(name="shop.unknown"))
    endpoint(unregistered=unregistered).post("/", json=sent)
    assert [event["name"] for event in memory.events] == names


def test_a_page_of_another_origin_is_refused_by_the_server(endpoint, memory):
    client = endpoint()
    for origin in ("https://evil.example.org", "null", f"{ORIGIN}.evil.org", "", None):
        client.headers.pop("origin", None)
        headers = {} if origin is None else {"origin": origin}
        response = client.post("/", json=batch(an_event()), headers=headers)
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers
    assert memory.events == []


def test_a_preflight_is_answered(endpoint):
    response = endpoint().options("/")
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["access-control-allow-headers"] == "content-type, content-encoding"


@pytest.mark.parametrize("origins", [[ORIGIN], ["*"]])
def test_a_page_of_another_origin_may_read_when_to_come_again(endpoint, origins):
    response = endpoint(origins=origins).post("/", json=batch())
    assert response.headers["access-control-expose-headers"] == "retry-after"


def test_a_sender_that_is_too_fast_is_told_when_to_come_again(endpoint, memory):
    client = endpoint(rate=1, burst=10)
    sent = batch(*[an_event(id=str(n)) for n in range(9)])
    assert client.post("/", json=sent).status_code == 200
    response = client.post("/", json=sent)
    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 9
    assert len(memory.events) == 9


def test_buckets_fill_again_and_are_bounded_in_number():
    now = [0.0]
    buckets = Buckets(2.0, 10, lambda: now[0])
    assert buckets.take("a", 10) == 0
    assert buckets.take("a", 1) == pytest.approx(0.5)
    assert buckets.take("b", 10) == 0
    now[0] = 0.5
    assert buckets.take("a", 1) == 0
    assert buckets.take("a", 1) > 0
    now[0] = 100.0
    assert buckets.take("a", 500) == 0, "more than a full bucket empties it"
    assert buckets.take("a", 1) > 0
    for number in range(2 * MAX_BUCKETS):
        buckets.take(number, 1)
    assert len(buckets) == MAX_BUCKETS


def test_forwarded_addresses_count_only_behind_trusted_proxies(endpoint, memory):
    headers = {"x-forwarded-for": "198.51.100.7"}
    endpoint().post("/", json=batch(an_event()), headers=headers)
    endpoint(trusted_proxies=1).post("/", json=batch(an_event()), headers=headers)
    addresses = [event["context"]["ip"] for event in memory.events]
    assert addresses == ["203.0.113.0", "198.51.100.0"]


class Stuck(MemoryBackend):
    def send(self, event):
        raise et.RetryableError("away")


def test_a_full_queue_is_an_outage(endpoint):
    tracker = et.Tracker()
    stuck = Stuck()
    delivery = {"mode": "queue", "max_queue_size": 10, "initial_interval": 30}
    node = {"delivery": delivery, "backends": {"sink": stuck}}
    tracker.configure({"backends": {"r": node}, "shutdown_timeout": 0.1})
    client = endpoint(tracker=tracker)
    sent = batch(*[an_event(id=str(n)) for n in range(200)])
    response = client.post("/", json=sent)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    tracker.shutdown(0.1)


def test_a_tracker_that_has_ended_or_has_no_backend_accepts_nothing(endpoint, tracker):
    tracker.shutdown(1)
    assert endpoint().post("/", json=batch(an_event())).status_code == 503
    assert endpoint(tracker=et.Tracker()).post("/", json=batch(an_event())).status_code == 503


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"keys": {}}, "keys"),
        ({"keys": {"": []}}, "keys"),
        ({"origins": []}, "origins"),
        ({"origins": "https://a"}, "origins"),
        ({"context": ["user_id"]}, "context"),
        ({"unregistered": "drop"}, "unregistered"),
        ({"rate": 0}, "rate"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_wrong_arguments_are_refused(endpoint, options, word):
    with pytest.raises(ValueError, match=word):
        endpoint(**options)
