"""The context of a request in ASGI applications."""

import asyncio
import logging
import random
from typing import Annotated

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

import eventtracking_core as et
from eventtracking_core import Tracker
from eventtracking_core.providers.request import RequestProvider
from eventtracking_web import ASGIMiddleware
from eventtracking_web.fastapi import tracker as default_tracker


def application(tracker):
    """Return an application that emits everywhere that a request reaches."""
    app = FastAPI()

    def dependency():
        tracker.emit("dependency")

    async def chunks():
        for _ in range(3):
            await asyncio.sleep(random.random() / 100)
            tracker.emit("chunk")
            yield "x"

    @app.get("/users/{user}")
    async def show(user: str, tasks: BackgroundTasks, _: Annotated[None, Depends(dependency)]):
        tracker.emit("endpoint", {"user": user})
        tasks.add_task(tracker.emit, "task", {"user": user})
        return {}

    @app.get("/plain/{user}")
    def plain(user: str):  # runs in a thread
        tracker.emit("endpoint", {"user": user})
        return {}

    @app.get("/stream/{user}")
    async def stream(user: str):
        tracker.emit("endpoint", {"user": user})
        return StreamingResponse(chunks())

    return app


def header_user(scope):
    return dict(scope["headers"])[b"x-user"].decode()


def test_two_thousand_interleaved_requests_keep_their_users_apart(tracker, memory):
    app = ASGIMiddleware(application(tracker), tracker=tracker, user=header_user)

    async def ask(number):
        kind = ("users", "plain", "stream")[number % 3]
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"/{kind}/{number}",
            "query_string": b"",
            "headers": [(b"x-user", str(number).encode())],
        }
        request = iter([{"type": "http.request"}])

        async def receive():
            return next(request, None) or await asyncio.Event().wait()

        async def send(message):
            await asyncio.sleep(0)

        await app(scope, receive, send)

    async def ask_all():
        await asyncio.gather(*map(ask, range(2000)))

    asyncio.run(ask_all())
    by_user = {}
    for event in memory.events:
        user = event["context"]["user_id"]
        assert event["context"]["path"].endswith(f"/{user}")
        assert event["data"].get("user", user) == user
        by_user.setdefault(user, []).append(event["name"])
    assert len(by_user) == 2000
    assert sorted(by_user["0"]) == ["dependency", "endpoint", "task"]
    assert by_user["1"] == ["endpoint"]
    assert by_user["2"] == ["endpoint", "chunk", "chunk", "chunk"]


def test_the_route_is_the_template_and_nothing_private_is_added(tracker, contexts):
    client = TestClient(ASGIMiddleware(application(tracker), tracker=tracker))
    client.get("/plain/7?token=secret", headers={"cookie": "sid=secret", "x-request-id": "r1"})
    assert contexts() == [
        (
            "endpoint",
            {"method": "GET", "path": "/plain/7", "route": "/plain/{user}", "request_id": "r1"},
        )
    ]


def test_a_configured_provider_replaces_the_default_one(tracker, memory):
    tracker.configure(
        {
            "context": [
                {"type": "request", "fields": ["method", "agent"], "names": "opentelemetry"}
            ],
            "backends": {"memory": memory},
        }
    )
    client = TestClient(ASGIMiddleware(application(tracker), tracker=tracker))
    client.get("/plain/7", headers={"user-agent": "probe/1"})
    assert memory.events[0]["context"] == {
        "http.request.method": "GET",
        "user_agent.original": "probe/1",
    }


def test_configuring_again_keeps_the_context_of_requests(tracker, memory, contexts):
    client = TestClient(ASGIMiddleware(application(tracker), tracker=tracker))
    tracker.configure({"backends": {"memory": memory}})
    client.get("/plain/7")
    assert contexts()[0][1]["path"] == "/plain/7"


@pytest.mark.parametrize("is_stable", [True, False])
def test_an_anonymous_visitor_has_a_stable_id_only_with_a_cookie(tracker, contexts, is_stable):
    cookie = "visitor" if is_stable else None
    app = ASGIMiddleware(application(tracker), tracker=tracker, anonymous_cookie=cookie)
    client = TestClient(app)
    first, second = client.get("/plain/1"), client.get("/plain/2")
    assert ("set-cookie" in first.headers) is is_stable
    assert "set-cookie" not in second.headers
    ids = {context.get("anonymous_id") for _, context in contexts()}
    assert len(ids) == 1
    assert (ids == {None}) is not is_stable


def test_a_visitor_keeps_its_id_when_http_2_splits_the_cookies(tracker, contexts):
    app = ASGIMiddleware(application(tracker), tracker=tracker, anonymous_cookie="visitor")
    visitor = "0123456789abcdef" * 2
    headers = [("cookie", "theme=dark"), ("cookie", f"visitor={visitor}"), ("cookie", "a=b")]
    assert "set-cookie" not in TestClient(app).get("/plain/1", headers=headers).headers
    assert {context["anonymous_id"] for _, context in contexts()} == {visitor}


class Away:
    """A plugin whose backend is never there."""

    @et.hookimpl
    def eventtracking_backends(self):
        return {"away": Away}

    def send_batch(self, events, *, timeout):
        raise et.RetryableError("away")


async def lifespan_of(app, *messages):
    """Run the lifespan of an application; return what it sent."""
    sent, queue = [], list(messages)

    async def receive():
        return {"type": f"lifespan.{queue.pop(0)}"}

    async def send(message):
        sent.append(message["type"])

    await app({"type": "lifespan"}, receive, send)
    return sent


async def without_lifespan(scope, receive, send):
    assert scope["type"] == "http"


@pytest.mark.parametrize("app", [FastAPI(), without_lifespan], ids=["fastapi", "none"])
def test_the_end_of_the_lifespan_delivers_what_is_queued(memory, app):
    tracker = Tracker()
    tracker.configure(
        {
            "backends": {
                "memory": {"type": "memory", "delivery": {"mode": "queue", "schedule_delay": 60}}
            }
        }
    )
    middleware = ASGIMiddleware(app, tracker=tracker)
    tracker.emit("queued")
    sent = asyncio.run(lifespan_of(middleware, "startup", "shutdown"))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert [event["name"] for event in tracker.get_backend("memory").events] == ["queued"]
    tracker.shutdown(5)


def test_what_the_end_cannot_deliver_is_logged_with_its_count(caplog):
    et.register_plugin(Away(), "away")
    tracker = Tracker()
    tracker.configure(
        {
            "shutdown_timeout": 0.2,
            "backends": {"sink": {"type": "away", "delivery": "queue"}},
        }
    )
    middleware = ASGIMiddleware(without_lifespan, tracker=tracker)
    tracker.emit("queued")
    tracker.emit("queued")
    with caplog.at_level(logging.ERROR, "eventtracking"):
        asyncio.run(lifespan_of(middleware, "startup", "shutdown"))
    assert "events not delivered within its time: 2" in caplog.text
    tracker.shutdown(0.1)


def test_a_websocket_has_a_context_too(tracker, contexts):
    app = FastAPI()

    @app.websocket("/live/{room}")
    async def live(websocket: WebSocket, room: str):
        await websocket.accept()
        tracker.emit("joined", {"room": room})
        await websocket.close()

    client = TestClient(ASGIMiddleware(app, tracker=tracker))
    with (
        client.websocket_connect("/live/a") as socket,
        pytest.raises(WebSocketDisconnect),
    ):
        socket.receive_text()
    assert contexts()[0][1]["path"] == "/live/a"


def test_the_dependency_is_the_default_tracker():
    assert default_tracker() is et.get_tracker()


@pytest.mark.parametrize(
    ("options", "peer", "forwarded", "address"),
    [
        ({}, "203.0.113.57", None, "203.0.113.0"),
        ({"address": "full"}, "203.0.113.57", None, "203.0.113.57"),
        ({}, "2001:db8:1:2::3", None, "2001:db8:1::"),
        ({}, "10.0.0.1", "198.51.100.9", "10.0.0.0"),
        ({"trusted_proxies": 1}, "10.0.0.1", "1.1.1.1, 198.51.100.9", "198.51.100.0"),
        ({"trusted_proxies": 2}, "10.0.0.1", "6.6.6.6, 198.51.100.9, 10.0.0.2", "198.51.100.0"),
        ({"trusted_proxies": 2}, "10.0.0.1", "198.51.100.9", "10.0.0.0"),
        ({"trusted_proxies": 1}, "10.0.0.1", "no address", None),
    ],
)
def test_addresses_are_truncated_and_forwarded_ones_need_trust(
    memory, options, peer, forwarded, address
):
    tracker = Tracker()
    tracker.configure(
        {
            "context": [{"type": "request", "fields": ["ip"], **options}],
            "backends": {"memory": memory},
        }
    )
    app = ASGIMiddleware(application(tracker), tracker=tracker)
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    TestClient(app, client=(peer, 50000)).get("/plain/1", headers=headers)
    assert memory.events[0]["context"].get("ip") == address


@pytest.mark.parametrize(
    "options",
    [{"fields": ("password",)}, {"names": "long"}, {"address": "half"}, {"trusted_proxies": -1}],
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        RequestProvider(**options)
