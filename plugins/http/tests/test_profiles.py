"""Each profile against an endpoint that enforces what its service documents."""

from __future__ import annotations

import base64
import json

import pytest

from eventtracking_core import BatchError, RejectedError, RetryableError
from eventtracking_http import HttpBackend

KEY = "service-key"


def posthog(request):
    document = json.loads(request.body)
    events = document["batch"]
    assert document["api_key"] == KEY
    assert len(request.body) <= 20_000_000
    return [
        (each["event"], each["uuid"], each["distinct_id"], each["timestamp"]) for each in events
    ]


def amplitude(request):
    document = json.loads(request.body)
    events = document["events"]
    assert document["api_key"] == KEY
    assert len(events) <= 2000
    assert len(request.body) <= 1_000_000
    assert all(isinstance(each["time"], int) for each in events)
    return [
        (each["event_type"], each["insert_id"], each["user_id"], each["time"]) for each in events
    ]


def mixpanel(request):
    events = json.loads(request.body)
    login = base64.b64encode(f"{KEY}:".encode()).decode()
    assert request.headers["Authorization"] == f"Basic {login}"
    assert len(events) <= 2000
    found = [(each["event"], each["properties"]) for each in events]
    return [
        (name, properties["$insert_id"], properties["distinct_id"], properties["time"])
        for name, properties in found
    ]


def rudderstack(request):
    assert len(request.body) <= 4_000_000
    events = json.loads(request.body)["batch"]
    for each in events:
        assert each["type"] == "track"
        assert len(json.dumps(each)) <= 32 * 1024
    return [
        (each["event"], each["messageId"], each["userId"], each["timestamp"]) for each in events
    ]


def elasticsearch(request):
    assert request.headers["Content-Type"] == "application/x-ndjson"
    assert request.body.endswith(b"\n")
    lines = [json.loads(line) for line in request.body.splitlines()]
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [
        (
            each["event"]["action"],
            action["create"]["_id"],
            each["context"]["user_id"],
            each["@timestamp"],
        )
        for action, each in pairs
    ]


def loki(request):
    (stream,) = json.loads(request.body)["streams"]
    assert stream["stream"]
    found = []
    for nanoseconds, line in stream["values"]:
        assert len(nanoseconds) == 19
        event = json.loads(line)
        found.append((event["name"], event["id"], event["context"]["user_id"], nanoseconds))
    return found


def honeycomb(request):
    assert request.headers["X-Honeycomb-Team"] == KEY
    assert len(request.body) <= 5_000_000
    found = [(each["data"], each["time"]) for each in json.loads(request.body)]
    return [(data["name"], data["id"], data["context"]["user_id"], time) for data, time in found]


def cloudevents(request):
    assert request.headers["Content-Type"].startswith("application/cloudevents-batch+json")
    found = []
    for each in json.loads(request.body):
        assert each["specversion"] == "1.0"
        assert each["source"]
        found.append((each["type"], each["id"], each["data"]["context"]["user_id"], each["time"]))
    return found


CONTRACTS = {
    contract.__name__: contract
    for contract in (
        *(posthog, amplitude, mixpanel, rudderstack),
        *(elasticsearch, loki, honeycomb, cloudevents),
    )
}


def answering(request, contract):
    if contract is elasticsearch:
        count = len(request.body.splitlines()) // 2
        items = [{"create": {"status": 201}}] * count
        return 200, {}, json.dumps({"errors": False, "items": items}).encode()
    return 200, {}, b'{"code": 200, "num_records_imported": 1}'


@pytest.mark.parametrize("profile", CONTRACTS)
def test_a_profile_keeps_the_contract_of_its_service(endpoint, an_event, profile):
    contract = CONTRACTS[profile]
    endpoint.answer = lambda request: answering(request, contract)
    events = [an_event(n=n, text="x" * 700) for n in range(2500)]
    backend = HttpBackend(endpoint.url, profile, KEY)
    backend.send_batch(events, timeout=60)
    backend.shutdown(1)
    found = [each for request in endpoint.requests for each in contract(request)]
    assert [id_ for _, id_, _, _ in found] == [event["id"] for event in events]
    assert {(name, user) for name, _, user, _ in found} == {("shop.order.placed", 7)}
    assert {str(time)[:13] for *_, time in found} <= {"2026-09-12T12", "1789217700123"}


def test_outcomes_of_single_documents_are_read(endpoint, an_event):
    statuses = [201, 409, 429, 400]
    items = [{"create": {"status": status}} for status in statuses]
    text = json.dumps({"errors": True, "items": items}).encode()
    endpoint.answer = lambda _request: (200, {}, text)
    with pytest.raises(BatchError) as caught:
        HttpBackend(endpoint.url, "elasticsearch").send_batch(
            [an_event() for _ in statuses], timeout=60
        )
    failures = caught.value.failures
    assert sorted(failures) == [2, 3]
    assert isinstance(failures[2], RetryableError)
    assert isinstance(failures[3], RejectedError)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"[]", b"<html>", b"[" * 50_000),
        b'{"errors": true, "items": []}',
        b'{"errors": true, "items": [{"create": {"status": true}}]}',
        b'{"error": {"type": "security_exception"}, "status": 403}',
    ],
)
def test_an_answer_that_cannot_be_read_delivers_nothing(endpoint, an_event, text):
    endpoint.answer = lambda _request: (200, {}, text)
    with pytest.raises(RetryableError):
        HttpBackend(endpoint.url, "elasticsearch").send_batch([an_event()], timeout=60)


def test_records_that_mixpanel_lists_are_rejected_alone(endpoint, an_event):
    text = json.dumps({"code": 400, "failed_records": [{"index": 1, "message": "no"}]}).encode()
    endpoint.answer = lambda _request: (400, {}, text)
    with pytest.raises(BatchError) as caught:
        HttpBackend(endpoint.url, "mixpanel", KEY).send_batch([an_event()] * 3, timeout=60)
    assert list(caught.value.failures) == [1]
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 0, "error": "the project is disabled"},
        {"code": 200, "failed_records": [{"index": 7, "message": "no"}]},
        {"code": 200, "failed_records": [{"message": "no"}]},
    ],
)
def test_a_success_of_mixpanel_that_tells_of_an_error_delivers_nothing(endpoint, an_event, answer):
    endpoint.answer = lambda _request: (200, {}, json.dumps(answer).encode())
    with pytest.raises(RetryableError):
        HttpBackend(endpoint.url, "mixpanel", KEY).send_batch([an_event()] * 3, timeout=60)
