"""Contexts that travel from service to service."""

from __future__ import annotations

import httpx
import pytest
import requests

import eventtracking_core as et
from eventtracking_web import Propagation, WSGIMiddleware, inject_request

SECRET = "a-long-shared-secret"


def answering(tracker, propagation):
    def app(environ, start_response):
        tracker.emit("answered")
        start_response("200 OK", [])
        return []

    return WSGIMiddleware(app, tracker=tracker, propagation=propagation)


def receive(app, headers):
    environ = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
    app({"PATH_INFO": "/", **environ}, lambda *_: None).close()


def test_an_empty_secret_is_refused():
    """A variable that is not set must not turn signatures off."""
    with pytest.raises(ValueError, match="secret must not be empty"):
        Propagation(secret="")


@pytest.mark.parametrize("secret", [None, SECRET])
def test_the_named_fields_arrive_with_the_trace(tracker, contexts, secret):
    propagation = Propagation(("user_id",), secret)
    headers = {}
    with tracker.context({"user_id": 7, "email": "a@example.org"}):
        propagation.inject(headers, tracker)
    receive(answering(tracker, propagation), headers)
    assert contexts()[0][1]["user_id"] == 7
    assert "email" not in contexts()[0][1]


def test_the_user_of_a_request_travels_to_the_next_service(tracker, contexts):
    sent = {}

    def app(environ, start_response):
        Propagation(("user_id",)).inject(sent, tracker)
        start_response("200 OK", [])
        return []

    receive(WSGIMiddleware(app, tracker=tracker, user=lambda environ: 7), {})
    receive(answering(tracker, Propagation()), sent)
    assert contexts()[0][1]["user_id"] == 7


@pytest.mark.parametrize(
    "forge",
    [
        lambda headers: headers.pop("eventtracking-signature"),
        lambda headers: headers.update({"eventtracking-context": '{"user_id":1}'}),
        lambda headers: headers.update({"eventtracking-signature": "v1=" + "0" * 64}),
        lambda headers: headers.update({"eventtracking-signature": "\xff"}),
    ],
    ids=["no signature", "other context", "wrong signature", "no text"],
)
def test_with_a_secret_a_forged_header_is_ignored(tracker, contexts, forge):
    propagation = Propagation(("user_id",), SECRET)
    headers = {}
    with tracker.context({"user_id": 7}):
        propagation.inject(headers, tracker)
    forge(headers)
    receive(answering(tracker, propagation), headers)
    assert "user_id" not in contexts()[0][1]


def test_headers_of_anybody_are_ignored_unless_asked_for(tracker, contexts):
    receive(answering(tracker, None), {"eventtracking-context": '{"user_id":1}'})
    assert "user_id" not in contexts()[0][1]


def test_httpx_and_requests_send_the_context_of_the_default_tracker():
    sent = []

    def handle(request):
        sent.append(request.headers["eventtracking-context"])
        return httpx.Response(200)

    hooks = {"request": [inject_request]}
    prepared = requests.Request("GET", "http://test", auth=inject_request)
    with (
        et.context({"user_id": 7}),
        httpx.Client(transport=httpx.MockTransport(handle), event_hooks=hooks) as client,
    ):
        client.get("http://test")
        sent.append(prepared.prepare().headers["eventtracking-context"])
    assert sent == ['{"user_id":7}'] * 2
