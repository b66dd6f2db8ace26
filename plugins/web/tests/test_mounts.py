"""The endpoint within applications of Django, Flask and FastAPI."""

from __future__ import annotations

import asyncio
import json

import django
import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test.utils import override_settings
from django.urls import path
from fastapi import FastAPI
from flask import Flask
from starlette.testclient import TestClient
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_web import collector
from eventtracking_web.django import collector_view

ORIGIN = "https://shop.example.org"
BATCH = {"key": "public", "client": "c", "events": [{"id": "1", "name": "shop.page.viewed"}]}
HEADERS = {"origin": ORIGIN}


class User:
    """A user that a session knows."""

    is_authenticated = True
    pk = 7


def with_user(get_response):
    """Set the user, as Django's middleware of sessions does."""

    def middleware(request):
        if request.headers.get("cookie"):
            request.user = User()
        return get_response(request)

    return middleware


class Mounted:
    """An endpoint at /e/ of an application, and its events."""

    def __init__(self):
        self.memory = MemoryBackend()
        self.tracker = et.Tracker()
        self.tracker.configure(
            {"telemetry": False, "context": ["origin"], "backends": {"memory": self.memory}}
        )
        self.endpoint = collector(self.tracker, keys={"public": ["shop."]}, origins=[ORIGIN])


@pytest.fixture
def mounted():
    return Mounted()


@pytest.fixture
def urls(mounted):
    """Configure Django with the endpoint at e/."""
    if not settings.configured:
        settings.configure()
        django.setup()
    patterns = type("urls", (), {"urlpatterns": [path("e/", collector_view(mounted.endpoint))]})
    csrf = "django.middleware.csrf.CsrfViewMiddleware"
    middleware = [f"{__name__}.with_user", csrf]
    with override_settings(ROOT_URLCONF=patterns, MIDDLEWARE=middleware, ALLOWED_HOSTS=["*"]):
        yield


def accepted(response):
    assert (response.status_code, json.loads(response.text)["accepted"]) == (200, 1)


def context(mounted):
    [event] = mounted.memory.events
    return event["context"]


def test_django_has_it_as_a_view(mounted, urls):
    client = Client(WSGIHandler())
    response = client.post("/e/", json=BATCH, headers=HEADERS)
    accepted(response)
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers.getlist("content-type") == ["application/json"]
    assert "user_id" not in context(mounted)
    assert client.post("/e/", json=BATCH).status_code == 403
    assert client.get("/e/", headers=HEADERS).status_code == 405
    assert client.options("/e/", headers=HEADERS).status_code == 204


def test_django_says_who_the_user_of_the_session_is(mounted, urls):
    client = Client(WSGIHandler(), use_cookies=False)
    accepted(client.post("/e/", json=BATCH, headers=HEADERS | {"cookie": "sessionid=x"}))
    assert context(mounted)["user_id"] == 7


@pytest.mark.parametrize("has_length", [True, False])
def test_django_has_it_under_asgi_too(mounted, urls, has_length):
    body = json.dumps(BATCH).encode()
    headers = [(b"origin", ORIGIN.encode()), (b"content-type", b"text/plain"), (b"host", b"x")]
    headers += [(b"content-length", str(len(body)).encode())] if has_length else []
    scope = {"type": "http", "method": "POST", "path": "/e/", "headers": headers}
    scope |= {"query_string": b"", "client": ("203.0.113.9", 1)}

    async def ask():
        application = ApplicationCommunicator(ASGIHandler(), scope)
        await application.send_input({"type": "http.request", "body": body})
        start, _ = [await application.receive_output(10) for _ in range(2)]
        await application.wait(10)
        return start

    assert asyncio.run(ask())["status"] == 200
    assert context(mounted)["ip"] == "203.0.113.0"


def test_flask_and_fastapi_mount_it(mounted):
    api = FastAPI()
    api.mount("/e", mounted.endpoint)
    accepted(TestClient(api).post("/e/", json=BATCH, headers=HEADERS))
    flask = Client(DispatcherMiddleware(Flask(__name__), {"/e": mounted.endpoint.wsgi}))
    accepted(flask.post("/e", json=BATCH, headers=HEADERS))
    assert flask.post("/", json=BATCH, headers=HEADERS).status_code == 404
    assert len(mounted.memory.events) == 2


def test_events_of_browsers_and_of_the_server_say_where_they_come_from(mounted):
    mounted.tracker.emit("shop.order.paid")
    accepted(TestClient(mounted.endpoint).post("/", json=BATCH, headers=HEADERS))
    origins = [(each["name"], each["context"]["origin"]) for each in mounted.memory.events]
    assert origins == [("shop.order.paid", "server"), ("shop.page.viewed", "client")]
