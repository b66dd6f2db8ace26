"""The context of a request in WSGI applications and in Flask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest
from flask import Flask, Response, g, stream_with_context

from eventtracking_core.contexts.request import current_request
from eventtracking_web import WSGIMiddleware
from eventtracking_web.anonymous import AnonymousCookie
from eventtracking_web.flask import EventTracking


def call(app, path, **environ):
    """Answer one request as a server does; return the headers and the body."""
    started = []
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = path
    body = app(environ, lambda status, headers, *_: started.append(dict(headers)))
    try:
        return started, b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()


@pytest.fixture
def streaming(tracker):
    """An application that emits in every part of a request."""

    class Body:
        def __init__(self):
            self._parts = iter("ab")

        def __iter__(self):
            return self

        def __next__(self):
            part = next(self._parts)
            tracker.emit("chunk")
            return part.encode()

        def close(self):
            tracker.emit("closed")

    def app(environ, start_response):
        tracker.emit("called")
        start_response("200 OK", [])
        return Body()

    return WSGIMiddleware(app, tracker=tracker, user=lambda environ: environ["PATH_INFO"][1:])


def test_the_context_stays_while_the_body_streams_and_ends_with_it(streaming, tracker, contexts):
    assert call(streaming, "/7")[1] == b"ab"
    tracker.emit("outside")
    *inside, outside = contexts()
    assert [name for name, _ in inside] == ["called", "chunk", "chunk", "closed"]
    assert {context["user_id"] for _, context in inside} == {"7"}
    assert outside == ("outside", {})
    assert current_request() is None


def test_requests_that_interleave_in_one_thread_keep_their_users(streaming, memory):
    bodies = [
        (user, streaming({"PATH_INFO": f"/{user}", "REQUEST_METHOD": "GET"}, lambda *_: None))
        for user in range(3)
    ]
    for _ in range(2):
        for _, body in bodies:
            next(body)
    for _, body in bodies:
        body.close()
    users = [event["context"]["user_id"] for event in memory.events]
    assert users == [*"012", *"012", *"012", *"012"]


def test_two_thousand_requests_in_threads_keep_their_users(streaming, memory):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda user: call(streaming, f"/{user}"), range(2000)))
    by_user = {}
    for event in memory.events:
        assert event["context"]["path"] == f"/{event['context']['user_id']}"
        by_user.setdefault(event["context"]["user_id"], []).append(event["name"])
    assert len(by_user) == 2000
    assert {len(names) for names in by_user.values()} == {4}


def test_a_file_that_the_server_sends_is_left_to_it(tracker):
    def app(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](BytesIO(b"file"))

    environ = {"wsgi.file_wrapper": FileWrapper, "PATH_INFO": "/"}
    body = WSGIMiddleware(app, tracker=tracker)(environ, lambda *_: None)
    assert type(body) is FileWrapper


def test_an_application_that_raises_leaves_no_context(tracker):
    def app(environ, start_response):
        raise LookupError

    with pytest.raises(LookupError):
        call(WSGIMiddleware(app, tracker=tracker), "/")
    assert current_request() is None


def test_a_visitor_gets_a_cookie_once(tracker, contexts):
    def app(environ, start_response):
        tracker.emit("seen")
        start_response("200 OK", [])
        return []

    app = WSGIMiddleware(app, tracker=tracker, anonymous_cookie="visitor")
    (headers,), _ = call(app, "/", **{"wsgi.url_scheme": "https"})
    cookie = headers["Set-Cookie"]
    assert "HttpOnly; SameSite=Lax; Secure" in cookie
    (headers,), _ = call(app, "/", HTTP_COOKIE=cookie.partition(";")[0])
    assert "Set-Cookie" not in headers
    first, second = contexts()
    assert first[1]["anonymous_id"] == second[1]["anonymous_id"]


OTHERS = [
    *('prefs={"theme": "dark"}', "flag", "a=b c", "na\xefve=\xe9"),
    *("Path=/", "visitor=", "expires"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_a_visitor_keeps_its_id_beside_any_other_cookie(tracker, contexts, other):
    def app(environ, start_response):
        tracker.emit("seen")
        start_response("200 OK", [])
        return []

    app = WSGIMiddleware(app, tracker=tracker, anonymous_cookie="visitor")
    visitor = "0123456789abcdef" * 2
    for cookies in (f"{other}; visitor={visitor}", f"visitor={visitor}; {other}"):
        (headers,), _ = call(app, "/", HTTP_COOKIE=cookies)
        assert "Set-Cookie" not in headers
    assert {context["anonymous_id"] for _, context in contexts()} == {visitor}


@pytest.mark.parametrize("name", ["", "a b", "a;b", "\xe9", "a=b", "a\n"])
def test_a_name_that_no_cookie_can_have_is_refused_at_once(tracker, name):
    with pytest.raises(ValueError, match="anonymous_cookie must consist of"):
        AnonymousCookie(name)


class User:
    is_authenticated = True
    id = 42


def flask_application(tracker):
    app = Flask(__name__)

    @app.get("/users/<int:number>")
    def show(number):
        g._login_user = User()  # noqa: SLF001  as Flask-Login sets it
        tracker.emit("shown")

        def chunks():
            tracker.emit("chunk")
            yield "x"

        return Response(stream_with_context(chunks()))

    return app


def test_flask_knows_the_route_and_the_logged_in_user(tracker, contexts):
    app = flask_application(tracker)
    extension = EventTracking(tracker=tracker)
    extension.init_app(app)
    assert app.extensions["eventtracking"] is extension
    assert extension.tracker is tracker
    assert app.test_client().get("/users/7").data == b"x"
    assert [name for name, _ in contexts()] == ["shown", "chunk"]
    for _, context in contexts():
        assert context["route"] == "/users/<int:number>"
        assert context["user_id"] == 42
