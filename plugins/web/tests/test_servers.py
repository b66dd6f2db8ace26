"""Real servers: each request's events have its user, and SIGTERM loses none of them."""

from __future__ import annotations

import json
import signal
import threading
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

ASGI = {
    "uvicorn": ("uvicorn", "applications:asgi", "--port", "PORT", "--log-level", "warning"),
    "gunicorn-uvicorn": (
        *("gunicorn", "applications:asgi", "-k", "uvicorn_worker.UvicornWorker"),
        *("-b", "127.0.0.1:PORT", "-w", "2", "--graceful-timeout", "10"),
    ),
    "hypercorn": ("hypercorn", "applications:asgi", "-b", "127.0.0.1:PORT"),
    "granian": (
        *("granian", "--interface", "asgi", "applications:asgi"),
        *("--host", "127.0.0.1", "--port", "PORT"),
    ),
}
GUNICORN = ("gunicorn", "applications:wsgi", "-b", "127.0.0.1:PORT", "-w", "2")
WSGI = {
    "gunicorn-sync": GUNICORN,
    "gunicorn-gthread": (*GUNICORN, "-k", "gthread", "--threads", "4"),
    "gunicorn-gevent": (*GUNICORN, "-k", "gevent"),
    "gunicorn-preload": (*GUNICORN, "--preload"),
    "granian-wsgi": (
        *("granian", "--interface", "wsgi", "applications:wsgi"),
        *("--host", "127.0.0.1", "--port", "PORT"),
    ),
}
SERVERS = ASGI | WSGI
EVENTS = 4
"""Events of one request."""


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_is_ended_has_stored_the_events_of_every_answered_request(serve, name):
    server = serve(*SERVERS[name])
    answered, stop = [], threading.Event()

    def ask(start):
        for user in range(start, start + 50):
            if stop.is_set():
                return
            with suppress(OSError, urllib.error.URLError, ConnectionError):
                assert server.get(f"/users/{user}") == "ab"
                answered.append(str(user))
                if len(answered) == 60:
                    stop.set()
                    server.process.send_signal(signal.SIGTERM)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(0, 400, 100)))
    server.process.wait(30)
    events = [json.loads(text) for text in server.stored()]
    ids = {event["id"] for event in events}
    assert len(ids) == len(events)
    by_user = {}
    for event in events:
        assert event["context"]["user_id"] == event["data"]["user"]
        by_user.setdefault(event["data"]["user"], []).append(event["name"])
    assert len(answered) >= 60
    for user in answered:
        assert len(by_user[user]) == EVENTS, (user, by_user[user], server.log)
