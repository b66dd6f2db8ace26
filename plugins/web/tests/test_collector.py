"""What the endpoint for browsers accepts, what it adds, and what it refuses."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import UTC, datetime, timedelta
from threading import get_ident
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_web import ASGIMiddleware, collector
from eventtracking_web.collecting.buckets import MAX_BUCKETS, Buckets
from eventtracking_web.collecting.exchange import Exchange

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


class Request:
    """A request that gets past everything but its body."""

    method = "POST"
    address = "203.0.113.9"
    is_described = False

    def header(self, name):
        known = {"origin": ORIGIN, "content-type": "text/plain"}
        return known.get(name)

    def user(self):
        return None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
events = values | st.fixed_dictionaries(
    {"id": st.text(max_size=70), "name": st.text(max_size=300)},
    optional={"timestamp": values | st.datetimes().map(str), "data": values, "context": values},
)
bodies = st.binary() | st.fixed_dictionaries(
    {"key": st.sampled_from(["public", "x"]), "events": st.lists(events, max_size=5) | values},
    optional={"client": st.text(max_size=70) | values, "sent_at": st.datetimes().map(str) | values},
).map(lambda value: json.dumps(value).encode())


@given(body=bodies, size=st.integers(1, 100))
def test_whatever_arrives_has_an_answer(body, size):
    tracker = et.Tracker({"memory": MemoryBackend()})
    endpoint = collector(tracker, keys={"public": []}, origins=[ORIGIN], rate=1e9, burst=10**9)
    exchange = Exchange(endpoint.policy, Request(), "")
    for start in range(0, len(body), size):
        exchange.feed(body[start : start + size])
    answer = exchange.end()
    assert answer.status in {200, 400, 403}
    said = json.loads(answer.body)
    if answer.status == 200:
        sent = json.loads(body)["events"]
        assert said["accepted"] + len(said["rejected"]) == len(sent)
        stored = tracker.get_backend("memory").events
        assert len(stored) == said["accepted"]
        assert {event["context"]["origin"] for event in stored} <= {"client"}


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


def test_the_wsgi_face_answers_the_same(tracker, memory):
    app = collector(tracker, keys=KEYS, origins=[ORIGIN]).wsgi
    body = json.dumps(batch(an_event())).encode()
    answers = []

    def ask(**more):
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "CONTENT_TYPE": "text/plain;charset=UTF-8",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_ORIGIN": ORIGIN,
            "REMOTE_ADDR": "203.0.113.9",
            "wsgi.input": io.BytesIO(body),
        } | more
        text = b"".join(app(environ, lambda line, headers: answers.append(line)))
        return json.loads(text)

    assert ask() == {"accepted": 1, "rejected": []}
    ask(CONTENT_LENGTH="")
    ask(CONTENT_LENGTH=str(len(body) + 1))
    ask(CONTENT_LENGTH="9" * 100)
    assert ask(CONTENT_LENGTH="", **{"wsgi.input_terminated": True})["accepted"] == 1
    assert [line[:3] for line in answers] == ["200", "411", "400", "413", "200"]
    assert len(memory.events) == 2


@pytest.mark.parametrize(
    ("delivery", "is_same"),
    [
        ({"mode": "queue"}, True),
        ({"mode": "queue", "when_full": "block"}, False),
        ({"mode": "queue", "when_full": "spool"}, True),
        ({"mode": "spool"}, True),
        ({"mode": "spool", "fsync_interval": 0}, False),
        ({"mode": "inline"}, False),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_a_backend_that_blocks_holds_up_no_other_request(delivery, is_same, tmp_path, monkeypatch):
    """Events are stored by the event loop; where that may take long, by a thread."""
    monkeypatch.setenv("EVENTTRACKING_SPOOL_DIRECTORY", str(tmp_path))
    tracker = et.Tracker()
    node = {"delivery": delivery, "backends": {"sink": MemoryBackend()}}
    tracker.configure({"telemetry": False, "backends": {"r": node}})
    threads = set()
    tracker.add_context_provider(lambda: threads.add(get_ident()) or {})

    async def ask():
        scope = {
            "type": "http",
            "method": "POST",
            "headers": [(b"origin", ORIGIN.encode()), (b"content-type", b"text/plain")],
        }
        body = json.dumps(batch(an_event())).encode()
        answers = []

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message):
            answers.append(message)

        await collector(tracker, keys=KEYS, origins=[ORIGIN])(scope, receive, send)
        return answers[0]["status"], get_ident()

    status, loop = asyncio.run(ask())
    assert status == 200
    assert (threads == {loop}) is is_same
    tracker.shutdown(5)
