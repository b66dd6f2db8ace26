"""The context of a request in Django."""

from __future__ import annotations

import asyncio
import gc
import warnings
from contextlib import suppress

import django
import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient, Client, override_settings

import eventtracking_core as et


def asked(path, **headers):
    return Client().get(path, **headers)


def asked_async(path, **headers):
    async def ask():
        response = await AsyncClient().get(path, **headers)
        if response.streaming:
            async for _ in response.streaming_content:
                pass
        return response

    return asyncio.run(ask())


@pytest.mark.parametrize("ask", [asked, asked_async])
@pytest.mark.parametrize("path", ["/orders/7/", "/async/orders/7/"])
def test_an_event_of_a_view_has_its_request(ask, path, contexts):
    ask(f"{path}?coupon=secret")
    context = contexts()["shown"]
    assert context["method"] == "GET"
    assert context["path"] == path
    assert context["route"] == path.replace("7", "<int:order>")
    assert context["ip"] == "127.0.0.0"
    assert "secret" not in str(context)


def test_a_streaming_response_keeps_the_request_until_it_is_closed(contexts):
    response = asked("/stream/7/")
    assert et.get_tracker().resolve_context() == {}
    assert b"".join(response.streaming_content) == b"ab"
    response.close()
    assert {name: c["path"] for name, c in contexts().items()} == dict.fromkeys(
        ["chunk.a", "chunk.b", "closed"], "/stream/7/"
    )


def test_a_stream_that_is_left_early_is_closed_in_its_request(contexts):
    response = asked("/stream/7/")
    next(iter(response.streaming_content))
    response.close()
    assert contexts()["closed"]["path"] == "/stream/7/"


def test_an_async_streaming_response_keeps_the_request(contexts):
    asked_async("/async/stream/7/")
    assert {name: c["path"] for name, c in contexts().items()} == dict.fromkeys(
        ["chunk.a", "chunk.b"], "/async/stream/7/"
    )


@pytest.mark.parametrize("ask", [asked, asked_async])
@pytest.mark.parametrize("path", ["/to-async/", "/to-sync/"])
def test_changing_between_sync_and_async_code_keeps_the_request(ask, path, contexts):
    ask(path)
    assert contexts()["inside"]["path"] == path


def test_a_callback_of_on_commit_has_the_request(contexts, database):
    asked("/committed/")
    assert {c["path"] for c in contexts().values()} == {"/committed/"}
    assert list(contexts()) == ["before", "committed"]


def test_the_context_ends_with_the_request_also_when_it_fails(contexts):
    with pytest.raises(RuntimeError):
        asked("/failing/")
    et.emit("after")
    assert contexts()["failing"]["path"] == "/failing/"
    assert contexts()["after"] == {}


def test_the_user_is_known_before_a_view_asks_for_it(memory, contexts, database):
    user = get_user_model().objects.create_user("ada")
    client = Client()
    client.force_login(user)
    response = client.get("/orders/7/")
    assert contexts()["shown"]["user_id"] in {user.pk, str(user.pk)}
    assert "Cookie" not in response.headers.get("Vary", "")


def test_an_event_of_async_code_queries_no_database(memory, contexts, database):
    user = get_user_model().objects.create_user("grace")
    client = AsyncClient()
    client.force_login(user)
    asyncio.run(client.get("/async/orders/7/"))
    assert "user_id" not in contexts()["shown"]


def test_a_visitor_gets_a_stable_id_only_where_that_is_switched_on(contexts, memory):
    client = Client()
    assert client.get("/orders/1/").cookies == {}
    with override_settings(EVENTTRACKING_ANONYMOUS_COOKIE="visitor"):
        client = Client()  # middleware reads it when the server starts
        first = client.get("/orders/1/")
        second = client.get("/orders/1/")
    assert first.cookies["visitor"]["httponly"]
    assert second.cookies == {}
    ids = [event["context"].get("anonymous_id") for event in memory.events]
    assert ids == [None, first.cookies["visitor"].value, first.cookies["visitor"].value]


@pytest.mark.parametrize("orders", [50, pytest.param(700, marks=pytest.mark.soak)])
def test_interleaved_requests_keep_their_own_context(memory, orders):
    async def ask(order):
        client = AsyncClient()
        await client.get(f"/orders/{order}/")  # a sync view, in a thread
        await client.get(f"/async/orders/{order}/")
        response = await client.get(f"/async/stream/{order}/")
        async for _ in response.streaming_content:
            await asyncio.sleep(0)

    async def ask_all():
        await asyncio.gather(*map(ask, range(orders)))

    asyncio.run(ask_all())
    assert len(memory.events) == 4 * orders
    for event in memory.events:
        assert event["context"]["path"].endswith(f"/{event['data']['order']}/")


def test_the_session_is_named_without_its_key(override, memory, contexts, database):
    override(
        EVENTTRACKING={
            "context": [{"type": "request", "fields": ["session"]}],
            "backends": {"memory": memory},
        }
    )
    client = Client()
    client.force_login(get_user_model().objects.create_user("edsger"))
    client.get("/orders/7/")
    session = contexts()["shown"]["session"]
    assert session
    assert session not in client.session.session_key
    assert client.session.session_key not in session


def test_a_request_leaves_nothing_to_the_next_of_its_thread(memory):
    client = Client()
    for order in (1, 2):
        client.get(f"/entering/{order}/")
    et.emit("outside")
    contexts = [event["context"] for event in memory.events]
    assert [context.get("leak") for context in contexts] == [None, None, None]
    assert [context.get("path") for context in contexts] == ["/entering/1/", "/entering/2/", None]


def test_a_stream_that_its_client_leaves_is_closed_in_its_context(memory):
    from django.core.asgi import get_asgi_application

    async def main():
        parts = asyncio.Event()
        incoming = iter(["http.request", "http.disconnect"])

        async def receive():
            kind = next(incoming)
            if kind == "http.disconnect":
                await parts.wait()
            return {"type": kind, "body": b"", "more_body": False}

        async def send(message):
            if message.get("body"):
                parts.set()

        path = "/async/endless/7/"
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        served = asyncio.create_task(get_asgi_application()(scope, receive, send))
        if django.VERSION < (5,):  # it does not listen while it streams: the server cancels it
            await asyncio.wait_for(parts.wait(), 30)
            served.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(served, 30)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Django 4.2 leaves the body open then
        asyncio.run(main())
        gc.collect()
    [event] = memory.events
    assert (event["name"], event["context"]["path"]) == ("closed", "/async/endless/7/")
