"""Applications that the tests start under real servers."""

import asyncio
import os

import eventtracking_core as et
from eventtracking_web import ASGIMiddleware, WSGIMiddleware

et.configure(
    {
        "backends": {
            "store": {"type": "sqlite", "path": os.environ["EVENTS_DB"], "delivery": "queue"},
        },
    }
)


async def answer(scope, receive, send):
    """Emit before, during and after the response."""
    assert scope["type"] == "http"
    user = scope["path"].rpartition("/")[2]
    if user != "ready":
        et.emit("asked", {"user": user})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for part in (b"a", b"b"):
        await asyncio.sleep(0)
        if user != "ready":
            et.emit("streamed", {"user": user})
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
    if user != "ready":
        et.emit("afterwards", {"user": user})


def respond(environ, start_response):
    user = environ["PATH_INFO"].rpartition("/")[2]
    if user != "ready":
        et.emit("asked", {"user": user})
    start_response("200 OK", [])
    for part in (b"a", b"b"):
        if user != "ready":
            et.emit("streamed", {"user": user})
        yield part
    if user != "ready":
        et.emit("afterwards", {"user": user})


def path_user(scope):
    return scope.get("path", scope.get("PATH_INFO", "")).rpartition("/")[2]


asgi = ASGIMiddleware(answer, user=path_user)
wsgi = WSGIMiddleware(respond, user=path_user)
