"""Middleware: the current request in the context of every event."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from inspect import iscoroutinefunction
from typing import ClassVar, Final, cast
from uuid import uuid4

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from eventtracking_core.contexts.request import Request, current
from eventtracking_django.apps import require_valid_configuration
from eventtracking_django.project import anonymous_cookie
from eventtracking_django.request import describe

__all__ = ["EventTrackingMiddleware"]

GetResponse = Callable[[HttpRequest], "HttpResponseBase | Awaitable[HttpResponseBase]"]

_COOKIE_AGE: Final = 365 * 24 * 3600
"""Seconds."""

_COOKIE_VALUE: Final = re.compile(r"[0-9a-f]{32}")


class EventTrackingMiddleware:
    """Adds the current request to every event, also while the response streams and closes.

    Put it first in `MIDDLEWARE`. The setting `EVENTTRACKING_ANONYMOUS_COOKIE` is the name of a
    cookie that gives an anonymous visitor a stable `anonymous_id`; without it no cookie is set.

    Args:
        get_response: the next middleware, or the view.

    Raises:
        ImproperlyConfigured: the configuration in the settings, or the cookie, cannot be used.
    """

    sync_capable: ClassVar[bool] = True
    async_capable: ClassVar[bool] = True

    def __init__(self, get_response: GetResponse) -> None:
        require_valid_configuration()
        self._get_response = get_response
        self._cookie = anonymous_cookie()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer one request."""
        if self._is_async:
            return self._answer(request)
        described = describe(request)
        cookie = self._cookie and _identify(request, described, self._cookie)
        context = copy_context()  # what the view enters and does not leave ends with the request
        context.run(current.set, described)
        response = cast("HttpResponseBase", context.run(self._get_response, request))
        return _finish(request, response, described, cookie)

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        described = describe(request)
        cookie = self._cookie and _identify(request, described, self._cookie)
        token = current.set(described)
        try:
            response = await cast("Awaitable[HttpResponseBase]", self._get_response(request))
        finally:
            current.reset(token)
        return _finish(request, response, described, cookie)


@contextmanager
def _inside(request: Request) -> Iterator[None]:
    token = current.set(request)
    try:
        yield
    finally:
        current.reset(token)


def _identify(request: HttpRequest, described: Request, name: str) -> str | None:
    """Read the visitor's cookie; return its name if it must be set."""
    value = request.COOKIES.get(name, "")
    if _COOKIE_VALUE.fullmatch(value):
        described.anonymous_id = value
        return None
    described.anonymous_id = uuid4().hex
    return name


def _finish(
    request: HttpRequest, response: HttpResponseBase, described: Request, cookie: str | None
) -> HttpResponseBase:
    """Keep the context while the response streams and closes; set the cookie of that name."""
    if cookie:
        response.set_cookie(
            cookie,
            described.anonymous_id or "",
            max_age=_COOKIE_AGE,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    # A file that the server sends by itself stays a file.
    if isinstance(response, StreamingHttpResponse) and not getattr(
        response, "file_to_stream", None
    ):
        if response.is_async:
            chunks = cast("AsyncIterator[bytes]", response.streaming_content)
            response.streaming_content = _async_chunks(chunks, described)
        else:
            response.streaming_content = _Chunks(response.streaming_content, described)
    _close_inside(response, described)
    return response


def _close_inside(response: HttpResponseBase, described: Request) -> None:
    close = response.close

    def close_inside() -> None:
        token = current.set(described)
        try:
            close()
        finally:
            current.reset(token)

    response.close = close_inside  # type: ignore[method-assign]


class _Chunks:
    """The chunks of a body, produced in the context of its request."""

    def __init__(self, chunks: object, request: Request) -> None:
        self._chunks = iter(cast("Iterator[bytes]", chunks))
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with _inside(self._request):
            return next(self._chunks)


async def _async_chunks(chunks: AsyncIterator[bytes], request: Request) -> AsyncIterator[bytes]:
    try:
        while True:
            with _inside(request):
                try:
                    chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
            yield chunk
    finally:  # the client may have left
        close = getattr(chunks, "aclose", None)
        if close is not None:
            with _inside(request):
                await close()
