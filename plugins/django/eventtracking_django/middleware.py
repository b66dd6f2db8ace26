"""Middleware: the current request in the context of every event."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import ClassVar, Final, cast
from uuid import uuid4

from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from eventtracking_core.contexts.request import Request, current
from eventtracking_django.apps import require_valid_configuration
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
        ImproperlyConfigured: the configuration in the settings cannot be used.
    """

    sync_capable: ClassVar[bool] = True
    async_capable: ClassVar[bool] = True

    def __init__(self, get_response: GetResponse) -> None:
        require_valid_configuration()
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer one request."""
        if self._is_async:
            return self._answer(request)
        described = describe(request)
        is_new = _identify(request, described)
        with _inside(described):
            response = cast("HttpResponseBase", self._get_response(request))
        return _finish(request, response, described, is_new_visitor=is_new)

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        described = describe(request)
        is_new = _identify(request, described)
        with _inside(described):
            response = await cast("Awaitable[HttpResponseBase]", self._get_response(request))
        return _finish(request, response, described, is_new_visitor=is_new)


@contextmanager
def _inside(request: Request) -> Iterator[None]:
    token = current.set(request)
    try:
        yield
    finally:
        current.reset(token)


def _identify(request: HttpRequest, described: Request) -> bool:
    """Read the visitor's cookie, where it is switched on; return whether it must be set."""
    name = _cookie_name()
    if name is None:
        return False
    value = request.COOKIES.get(name, "")
    is_new = not _COOKIE_VALUE.fullmatch(value)
    described.anonymous_id = uuid4().hex if is_new else value
    return is_new


def _cookie_name() -> str | None:
    return getattr(settings, "EVENTTRACKING_ANONYMOUS_COOKIE", None)


def _finish(
    request: HttpRequest, response: HttpResponseBase, described: Request, *, is_new_visitor: bool
) -> HttpResponseBase:
    """Keep the context while the response streams and closes."""
    name = _cookie_name()
    if is_new_visitor and name is not None:
        response.set_cookie(
            name,
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
        with _inside(described):
            close()

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
    while True:
        with _inside(request):
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                return
        yield chunk
