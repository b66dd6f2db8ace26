"""What the middleware costs a request, beside an empty one of the same kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from typing import Any, Final

from benchmarks.contestant import Contestant
from eventtracking_core import Tracker
from eventtracking_web import ASGIMiddleware, WSGIMiddleware

__all__ = ["MIDDLEWARE", "middleware"]

MIDDLEWARE: Final = ("ASGI", "WSGI", "Django")
"""The kinds; each is measured as `ours: … middleware`, beside `empty … middleware`."""

_SCOPE: Final[dict[str, Any]] = {
    "type": "http",
    "method": "GET",
    "path": "/orders/7",
    "headers": [(b"host", b"shop.example.org"), (b"user-agent", b"probe/1")],
    "client": ("203.0.113.57", 50000),
}
_ENVIRON: Final[dict[str, Any]] = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/orders/7",
    "HTTP_HOST": "shop.example.org",
    "REMOTE_ADDR": "203.0.113.57",
    "wsgi.url_scheme": "http",
}


def middleware(stack: ExitStack) -> list[Contestant]:
    """Return each kind of our middleware, and an empty one, before an application that is empty."""
    tracker = Tracker()
    stack.callback(tracker.shutdown, 1)
    return [
        _asgi("empty ASGI middleware", _EmptyASGI(_asgi_application)),
        _asgi("ours: ASGI middleware", ASGIMiddleware(_asgi_application, tracker=tracker)),
        _wsgi("empty WSGI middleware", _EmptyWSGI(_wsgi_application)),
        _wsgi("ours: WSGI middleware", WSGIMiddleware(_wsgi_application, tracker=tracker)),
        *_django(),
    ]


def _asgi(name: str, application: Callable[..., Awaitable[None]]) -> Contestant:
    def ask() -> None:
        answer = application(dict(_SCOPE), _receive, _send)
        for _ in answer.__await__():  # nothing waits
            pass

    return Contestant(name, "ask()", {"ask": ask}, None)


def _wsgi(name: str, application: Callable[..., Iterable[bytes]]) -> Contestant:
    def ask() -> None:
        body = application(dict(_ENVIRON), _start_response)
        for _ in body:
            pass
        close = getattr(body, "close", None)
        if close is not None:
            close()

    return Contestant(name, "ask()", {"ask": ask}, None)


def _django() -> list[Contestant]:
    from django.conf import settings  # noqa: PLC0415  after it is configured
    from django.http import HttpRequest, HttpResponse  # noqa: PLC0415

    if not settings.configured:
        settings.configure()
    from eventtracking_django.middleware import EventTrackingMiddleware  # noqa: PLC0415

    def view(_: HttpRequest) -> HttpResponse:
        return HttpResponse(b"ok")

    def contestant(name: str, answer: Callable[[HttpRequest], HttpResponse]) -> Contestant:
        def ask() -> None:
            request = HttpRequest()
            request.META = _ENVIRON
            answer(request).close()

        return Contestant(name, "ask()", {"ask": ask}, None)

    def empty(request: HttpRequest) -> HttpResponse:
        return view(request)

    ours: Any = EventTrackingMiddleware(view)
    return [
        contestant("empty Django middleware", empty),
        contestant("ours: Django middleware", ours),
    ]


class _EmptyASGI:
    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        await self._app(scope, receive, send)


class _EmptyWSGI:
    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: object, start_response: object) -> Iterable[bytes]:
        return self._app(environ, start_response)


async def _asgi_application(_scope: object, _receive: object, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def _wsgi_application(_environ: object, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"ok"]


async def _receive() -> dict[str, Any]:
    return {"type": "http.disconnect"}


async def _send(_message: object) -> None:
    pass


def _start_response(_status: str, _headers: object) -> None:
    pass
