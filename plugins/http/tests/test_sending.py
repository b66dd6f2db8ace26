"""Requests as endpoints get them, and outcomes as answers say."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import threading
from hashlib import sha256

import pytest

from eventtracking_core import BatchError, RejectedError, RetryableError, Tracker
from eventtracking_core.encoding import JsonBatch, encode_json
from eventtracking_core.testing import BackendConformance
from eventtracking_http import HttpBackend


@pytest.fixture
def sending(endpoint):
    """Send events through a backend with these options; return the endpoint."""

    def send(events, **options):
        backend = HttpBackend(endpoint.url, **options)
        try:
            backend.send_batch(events, timeout=60)
        finally:
            backend.shutdown(1)
        return endpoint

    return send


def test_a_batch_is_one_array(sending, an_event):
    events = [an_event(n=n) for n in range(3)]
    endpoint = sending(events)
    assert [event["data"] for event in endpoint.documents[0]] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert endpoint.documents[0][0]["timestamp"] == "2026-09-12T12:55:00.123450Z"
    assert endpoint.requests[0].headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"format": "ndjson", "secret": base64.b64encode(b"k" * 24).decode()},
        {"format": "single", "headers": {"x-event": "{name}"}},
        {"envelope": {"key": 1, "events": "{events}"}, "max_events": 3},
        {"max_bytes": 500},
        {"max_event_bytes": 240},
        {"event": {"id": "{id}", "n": "{data.n}"}},
    ],
    ids=str,
)
def test_a_batch_in_json_makes_the_requests_of_its_events(options, endpoint, an_event):
    events = [an_event(n=n, more="x" * (50 * (n == 2))) for n in range(5)]
    requests, failures = [], []
    for batch in events, JsonBatch(list(map(encode_json, events))):
        endpoint.requests.clear()
        backend = HttpBackend(endpoint.url, **options)
        try:
            backend.send_batch(batch, timeout=60)
        except BatchError as error:
            failures.append({index: str(each) for index, each in error.failures.items()})
        backend.shutdown(1)
        requests.append(
            [
                (request.body, request.headers.get("webhook-id"), request.headers.get("x-event"))
                for request in endpoint.requests
            ]
        )
    assert requests[0] == requests[1]
    assert requests[0]
    assert failures[1:] == failures[:1]


def test_lines_and_single_events(sending, an_event):
    events = [an_event(n=n) for n in range(2)]
    lines = sending(events, format="ndjson").requests[0].body.splitlines()
    assert [json.loads(line)["data"]["n"] for line in lines] == [0, 1]
    headers = {"x-event": "{name} of {context.user_id}"}
    requests = sending(events, format="single", headers=headers).requests[1:]
    assert [json.loads(request.body)["data"]["n"] for request in requests] == [0, 1]
    assert requests[0].headers["x-event"] == "shop.order.placed of 7"


def test_a_header_of_an_event_cannot_begin_another(sending, an_event):
    event = an_event(name="a\r\nx-forged: 1")
    request = sending([event], format="single", headers={"x-event": "{name}"}).requests[0]
    assert "x-forged" not in request.headers


def test_templates_keep_types_and_leave_out_missing_fields(sending, an_event):
    form = {
        "type": "{name}",
        "user": "{context.user_id}",
        "missing": "{data.nothing}",
        "text": "{name}#{data.n}",
        "time": "{timestamp_ms}",
        "list": ["{data.n}", 1],
        "all": "{data}",
    }
    endpoint = sending([an_event(n=1.5)], event=form, envelope={"v": 1, "items": "{events}"})
    assert endpoint.documents[0] == {
        "v": 1,
        "items": [
            {
                "type": "shop.order.placed",
                "user": 7,
                "text": "shop.order.placed#1.5",
                "time": 1789217700123,
                "list": [1.5, 1],
                "all": {"n": 1.5},
            }
        ],
    }


def test_authentication_compression_and_signature(sending, an_event):
    secret = base64.b64encode(b"k" * 32).decode()
    events = [an_event(), an_event()]
    first = sending(events, token="t0k", gzip=True, secret=f"whsec_{secret}").requests[0]
    assert first.headers["Authorization"] == "Bearer t0k"
    signed = f"{first.headers['webhook-id']}.{first.headers['webhook-timestamp']}.".encode()
    digest = hmac.new(b"k" * 32, signed + first.body, sha256).digest()
    assert first.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    second = sending(events, username="u", password="p", secret=secret).requests[1]
    assert second.headers["Authorization"] == "Basic " + base64.b64encode(b"u:p").decode()
    assert second.headers["webhook-id"] == first.headers["webhook-id"]


def test_limits_make_several_requests_and_refuse_large_events(sending, an_event, endpoint):
    events = [an_event(n=n) for n in range(5)] + [an_event(text="x" * 5000)]
    with pytest.raises(BatchError) as caught:
        sending(events, max_events=2, max_event_bytes=4000)
    assert list(caught.value.failures) == [5]
    assert isinstance(caught.value.failures[5], RejectedError)
    assert [len(document) for document in endpoint.documents] == [2, 2, 1]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_what_may_pass_is_retryable_with_the_wait_that_the_server_names(
    sending, endpoint, an_event, status
):
    endpoint.answer = lambda _request: (status, {"Retry-After": "7"}, b"")
    with pytest.raises(RetryableError) as caught:
        sending([an_event(), an_event()])
    assert caught.value.retry_after == 7


def test_a_further_status_can_be_retryable(sending, endpoint, an_event):
    endpoint.answer = lambda _request: (409, {}, b"")
    with pytest.raises(RetryableError):
        sending([an_event()], retry=[409])


@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_is_not_followed(sending, endpoint, an_event, status):
    endpoint.answer = lambda _request: (status, {"Location": "http://127.0.0.1:1/"}, b"")
    with pytest.raises(RetryableError, match="redirect"):
        sending([an_event()])
    assert len(endpoint.requests) == 1


def test_of_a_refused_batch_only_the_event_to_blame_is_rejected(sending, endpoint, an_event):
    events = [an_event(n=n) for n in range(100)]

    def answer(request):
        return (400 if b'"n":37' in request.body else 200), {}, b""

    endpoint.answer = answer
    with pytest.raises(BatchError) as caught:
        sending(events)
    assert list(caught.value.failures) == [37]
    stored = {
        event["data"]["n"]
        for request, document in zip(endpoint.requests, endpoint.documents, strict=True)
        if answer(request)[0] == 200
        for event in document
    }
    assert stored == set(range(100)) - {37}


def test_a_forbidden_request_rejects_all_without_more_requests(sending, endpoint, an_event):
    endpoint.answer = lambda _request: (403, {}, b"")
    with pytest.raises(BatchError) as caught:
        sending([an_event() for _ in range(8)], key="a-secret-key")
    assert len(caught.value.failures) == 8
    assert len(endpoint.requests) == 1
    assert "a-secret-key" not in str(caught.value.failures)


def test_an_answer_that_drips_ends_with_the_timeout(an_event):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                for _ in range(100):
                    if done.wait(0.1):
                        return
                    connection.sendall(b"H")

        done = threading.Event()
        thread = threading.Thread(target=drip)
        thread.start()
        backend = HttpBackend(f"http://127.0.0.1:{server.getsockname()[1]}/")
        with pytest.raises(RetryableError, match="in time"):
            backend.send_batch([an_event()], timeout=0.5)
        done.set()
        thread.join()


def test_a_refused_connection_is_not_taken_for_a_late_answer(an_event):
    with pytest.raises(RetryableError, match=r"cannot be reached \(ConnectionRefusedError\)"):
        HttpBackend("http://127.0.0.1:1/").send_batch([an_event()], timeout=5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "example.org"}, "url"),
        ({"profile": "nowhere"}, "profile"),
        ({"profile": "posthog"}, "key"),
        ({"secret": "short"}, "secret"),
        ({"token": "t", "username": "u"}, "token"),
        ({"event": {"a": "{"}}, "brace"),
        ({"envelope": {"a": 1}}, "envelope"),
        ({"format": "single", "envelope": {"a": "{events}"}}, "envelope"),
        ({"action": {"a": 1}}, "action"),
        ({"max_events": 0, "max_bytes": 0}, "max_events must .*\nmax_bytes must"),
        ({"url": "http://user:secret@host/"}, "url must"),
        ({"url": "http://host:secret/"}, "url must"),
        ({"password": "secret"}, "password must"),
        ({"retry": [200]}, "retry must"),
        ({"headers": {"a b": "c"}}, "headers must"),
        ({"headers": {"Content-Length": "1"}}, "headers must"),
        ({"token": "\N{EURO SIGN}"}, "headers must"),
        ({"headers": {"a": "b\n"}}, "headers"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, said):
    with pytest.raises(ValueError, match=said) as caught:
        HttpBackend(**{"url": "http://127.0.0.1/", **options})
    assert "secret" not in str(caught.value) or "secret" in options


def test_an_id_that_no_header_may_have_is_signed_as_its_hash(endpoint, an_event):
    backend = HttpBackend(endpoint.url, secret="MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    for unusual in ("a\nb", "\ud800", "\N{EURO SIGN}"):
        backend.send_batch([an_event() | {"id": unusual}], timeout=60)
    assert len(endpoint.requests) == 3


def test_an_endpoint_that_fails_for_a_while_gets_every_event_once(endpoint, an_event):
    answers = iter([503, 500, 429, 503])
    endpoint.answer = lambda _request: (next(answers, 200), {}, b"")
    tracker = Tracker()
    delivery = {"mode": "queue", "initial_interval": 0.01, "max_batch_size": 50}
    sink = {"type": "http", "url": endpoint.url, "delivery": delivery}
    tracker.configure({"backends": {"sink": sink}})
    emitted = [tracker.emit("numbered", {"n": n}) for n in range(500)]
    assert tracker.flush(60)
    assert tracker.shutdown(60)
    stored = [event["id"] for document in endpoint.documents[4:] for event in document]
    assert sorted(stored) == sorted(emitted)


class TestConformance(BackendConformance):
    @pytest.fixture(autouse=True)
    def server(self, endpoint):
        self.endpoint = endpoint

    def make_backend(self):
        return HttpBackend(self.endpoint.url)

    def make_unreachable(self):
        return HttpBackend("http://127.0.0.1:1/")

    def stored(self, backend):
        return [event for document in self.endpoint.documents for event in document]
