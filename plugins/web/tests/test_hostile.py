"""Requests of clients that want to harm, or just break off."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.testclient import TestClient

from eventtracking_core import Tracker
from eventtracking_core.contexts.request import current_request
from eventtracking_web import ASGIMiddleware, Propagation, WSGIMiddleware

ALL = [
    *("method", "path", "route", "user_id", "anonymous_id", "session", "ip", "agent"),
    *("referer", "host", "request_id", "accept_language"),
]


@pytest.fixture
def all_fields(memory):
    """Configure a tracker whose events have every field of a request."""

    def configure(**options):
        tracker = Tracker()
        provider = {"type": "request", "fields": ALL, **options}
        tracker.configure({"context": [provider], "backends": {"memory": memory}})
        return tracker

    return configure


def asked(tracker, scope, **options):
    """Answer a request of a scope; return what was sent."""
    sent = []

    async def app(scope, receive, send):
        tracker.emit("asked")
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    async def send(message):
        sent.append(message)

    middleware = ASGIMiddleware(app, tracker=tracker, **options)
    asyncio.run(middleware({"type": "http", **scope}, None, send))
    assert len(sent) == 2
    return sent


LONG = b"x" * 1_000_000
HOSTILE = [
    b"\xff\xfe\x00\r\nset-cookie: a=b",
    b"\xed\xa0\x80",
    b"\x1b[31m" + b"%n" * 100,
    LONG,
    b",".join([b"127.0.0.1"] * 20_000),
    b"[" * 1000,
    b"visitor=" + b";=;" * 1000,
    b'{"user_id": ' + b"[" * 100_000,
    b'{"user_id": NaN}',
    b'{"user_id": 1' + b"0" * 4000 + b"}",
    b'["user_id"]',
]
NAMES = [
    *(b"host", b"user-agent", b"referer", b"x-request-id", b"accept-language"),
    *(b"x-forwarded-for", b"cookie", b"eventtracking-context", b"eventtracking-signature"),
    *(b"traceparent", b"tracestate", b"baggage"),
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value[:12]))
@pytest.mark.parametrize("secret", [None, "a secret"])
def test_no_header_breaks_a_request_or_fills_an_event(all_fields, memory, value, secret):
    tracker = all_fields(trusted_proxies=1)
    scope = {
        "headers": [(name, value) for name in NAMES * 2],
        "path": "/" + "\udcff" * 100_000,
        "method": "G\nET",
        "client": ("not an address", 0),
    }
    options = {"propagation": Propagation(secret=secret), "anonymous_cookie": "visitor"}
    asked(tracker, scope, **options)
    [event] = memory.events
    assert sum(len(str(field)) for field in event["context"].values()) < 20_000
    assert "set-cookie" not in json.dumps(sorted(event["context"]))


def test_a_scope_with_nothing_in_it_is_enough(all_fields, memory):
    asked(all_fields(), {})
    assert memory.events[0]["context"] == {}


class BrokenUser:
    is_authenticated = True

    @property
    def pk(self):
        raise RuntimeError("the session is gone")


@pytest.mark.parametrize(
    "user",
    [lambda scope: 1 / 0, lambda scope: scope["no such key"], lambda scope: BrokenUser().pk],
)
def test_a_user_that_cannot_be_found_takes_no_other_field_away(all_fields, memory, caplog, user):
    asked(all_fields(), {"path": "/orders", "method": "GET"}, user=user)
    assert memory.events[0]["context"] == {"path": "/orders", "method": "GET"}
    assert "the field user_id of the request failed" in caplog.text


def test_a_huge_user_id_is_an_event_like_any_other(all_fields, memory):
    tracker = all_fields()
    for user in ("x" * 1_000_000, 10**300, -1):
        asked(tracker, {}, user=lambda scope, user=user: user)
    assert [event["context"]["user_id"] for event in memory.events] == [
        "x" * 1_000_000,
        10**300,
        -1,
    ]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("::ffff:203.0.113.57", None, "203.0.113.0"),
        ("fe80::1%eth0", None, "fe80::"),
        ("10.0.0.1", "203.0.113.57:4711", "203.0.113.0"),
        ("10.0.0.1", "[2001:db8:1:2::3]:4711", "2001:db8:1::"),
        ("10.0.0.1", "203.0.113.57, , ", "203.0.113.0"),
        ("10.0.0.1", "203.0.113.57, evil", None),
        ("10.0.0.1", "1.1.1.1\r\n2.2.2.2", None),
    ],
)
def test_addresses_of_any_form_are_truncated(all_fields, memory, peer, forwarded, address):
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    tracker = all_fields(trusted_proxies=1 if forwarded else 0)
    asked(tracker, {"client": (peer, 1), "headers": headers})
    assert memory.events[0]["context"].get("ip") == address


def test_a_cancelled_request_leaves_no_context(tracker, contexts):
    started = asyncio.Event()

    async def app(scope, receive, send):
        tracker.emit("started")
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            tracker.emit("cancelled")

    async def main():
        request = asyncio.create_task(
            ASGIMiddleware(app, tracker=tracker)({"type": "http", "path": "/a"}, None, None)
        )
        await started.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert current_request() is None
        tracker.emit("outside")

    asyncio.run(main())
    assert contexts() == [
        ("started", {"path": "/a"}),
        ("cancelled", {"path": "/a"}),
        ("outside", {}),
    ]


def test_a_body_that_raises_ends_its_context(tracker, contexts):
    def app(environ, start_response):
        def parts():
            yield b"a"
            tracker.emit("failing")
            raise LookupError

        start_response("200 OK", [])
        return parts()

    body = WSGIMiddleware(app, tracker=tracker)({"PATH_INFO": "/a"}, lambda *_: None)
    assert next(iter(body)) == b"a"
    with pytest.raises(LookupError):
        next(body)
    body.close()
    tracker.emit("outside")
    assert contexts() == [("failing", {"path": "/a"}), ("outside", {})]


def test_a_request_leaves_nothing_to_the_next_of_its_connection(tracker, contexts):
    def app(environ, start_response):
        tracker.emit("asked")
        tracker.enter_context("leaking", {"leak": environ["PATH_INFO"]})  # and never left
        start_response("200 OK", [])
        return []

    middleware = WSGIMiddleware(app, tracker=tracker)
    for path in ("/a", "/b"):
        list(middleware({"PATH_INFO": path}, lambda *_: None))
    assert [context for _, context in contexts()] == [{"path": "/a"}, {"path": "/b"}]


def test_scopes_of_other_types_pass(tracker):
    passed = []

    async def app(scope, receive, send):
        passed.append(scope["type"])

    for kind in ("http", "websocket", "webtransport", "queue"):
        asyncio.run(ASGIMiddleware(app, tracker=tracker)({"type": kind}, None, None))
    assert passed == ["http", "websocket", "webtransport", "queue"]


async def returns_at_once(scope, receive, send):
    if scope["type"] != "http":
        return
    raise AssertionError


async def raises_at_once(scope, receive, send):
    raise NotImplementedError(scope["type"])


@pytest.mark.parametrize("app", [returns_at_once, raises_at_once])
def test_an_application_that_knows_no_lifespan_is_flushed_at_its_end(app):
    tracker = Tracker()
    delivery = {"mode": "queue", "schedule_delay": 60}
    tracker.configure({"backends": {"memory": {"type": "memory", "delivery": delivery}}})
    with TestClient(ASGIMiddleware(app, tracker=tracker)):
        tracker.emit("late")
    assert [event["name"] for event in tracker.get_backend("memory").events] == ["late"]
    tracker.shutdown(5)


def test_a_lifespan_that_is_cancelled_before_it_begins_ends(tracker):
    async def waits(scope, receive, send):
        await asyncio.Event().wait()

    async def main():
        lifespan = asyncio.create_task(
            ASGIMiddleware(waits, tracker=tracker)({"type": "lifespan"}, None, None)
        )
        await asyncio.sleep(0)
        lifespan.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(lifespan, 30)

    asyncio.run(main())
