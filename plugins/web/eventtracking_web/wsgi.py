"""Middleware for WSGI applications: Flask, Django, Pyramid, Falcon and others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from contextvars import Context, copy_context
from typing import Any, Unpack

from eventtracking_core.contexts.request import current
from eventtracking_web.options import Middleware, Options
from eventtracking_web.request import from_environ

__all__ = ["WSGIMiddleware"]

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGIApplication = Callable[[Environ, StartResponse], Iterable[bytes]]


class WSGIMiddleware(Middleware):
    """Adds the current request to every event, also while the body of the response streams.

    Each request runs in a copy of the context variables, so that nothing it enters is left in the
    thread or greenlet that answers the next one.

    Args:
        app: the application.
        route: returns the template of the current route, where the framework knows it.
        options: see `Options`; `user` is called with the environment, and is `REMOTE_USER` by
            default.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        route: Callable[[], str | None] | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(options)
        self.app = app
        self._route = route

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        context = copy_context()
        stack = ExitStack()
        try:
            start_response = context.run(self._enter, stack, environ, start_response)
            body = context.run(self.app, environ, start_response)
        except BaseException:
            context.run(stack.close)
            raise
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):  # the server sends the file
            context.run(stack.close)
            return body
        return _Body(body, context, stack)

    def _enter(
        self, stack: ExitStack, environ: Environ, start_response: StartResponse
    ) -> StartResponse:
        request = from_environ(environ, self._user, self._route)
        if self._cookie is not None:
            request.anonymous_id, is_new = self._cookie.read(request.header("cookie"))
            if is_new:
                is_secure = environ.get("wsgi.url_scheme") == "https"
                value = self._cookie.value(request.anonymous_id, is_secure=is_secure)
                start_response = _with_cookie(start_response, value)
        current.set(request)
        if self._propagation is not None:
            stack.enter_context(self._propagation.extract(self.tracker, request.header))
        return start_response


class _Body:
    """A response's body whose chunks are produced in the request's context."""

    def __init__(self, body: Iterable[bytes], context: Context, stack: ExitStack) -> None:
        self._body = body
        self._chunks: Iterator[bytes] | None = None
        self._context = context
        self._stack = stack

    def __iter__(self) -> Iterator[bytes]:
        self._chunks = self._context.run(iter, self._body)
        return self

    def __next__(self) -> bytes:
        if self._chunks is None:
            iter(self)
        return self._context.run(next, self._chunks)  # type: ignore[arg-type]

    def __len__(self) -> int:
        # Servers ask for it to set Content-Length where the application did not.
        return len(self._body)  # type: ignore[arg-type]

    def close(self) -> None:
        """Close the application's body, then leave the request's context."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                self._context.run(close)
        finally:
            self._context.run(self._stack.close)


def _with_cookie(start_response: StartResponse, value: str) -> StartResponse:
    def start_with_cookie(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, ("Set-Cookie", value)], *rest)

    return start_with_cookie
