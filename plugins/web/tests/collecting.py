"""The endpoint for events of browsers, on servers that the tests start."""

import os

import eventtracking_core as et
from eventtracking_web import collector

et.configure(
    {
        "backends": {
            "store": {"type": "sqlite", "path": os.environ["EVENTS_DB"], "delivery": "queue"},
        }
    }
)
endpoint = collector(
    keys={"public": ["shop."], "other": []},
    origins=["https://shop.example.org"],
    rate=1e6,
    burst=10**6,
    timeout=2.0,
)


async def asgi(scope, receive, send):
    if scope.get("path") == "/ready":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})
    else:
        await endpoint(scope, receive, send)


def wsgi(environ, start_response):
    if environ["PATH_INFO"] == "/ready":
        start_response("200 OK", [])
        return []
    return endpoint.wsgi(environ, start_response)
