"""Middleware for ASGI applications: Starlette, FastAPI, Litestar, Quart, Django and others."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, Unpack

from eventtracking_core.contexts.request import current
from eventtracking_web.options import Middleware, Options
from eventtracking_web.request import from_scope

__all__ = ["ASGIMiddleware"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

_ENDED: Final = frozenset({"lifespan.shutdown.complete", "lifespan.shutdown.failed"})
_logger: Final = logging.getLogger("eventtracking")


class ASGIMiddleware(Middleware):
    """Adds the current request to every event, and delivers what is queued when the server ends.

    It is pure ASGI: events of the endpoint, of dependencies, of streaming bodies and of background
    tasks have the request's context. The end of the lifespan flushes the tracker; uvicorn ends the
    process by the signal it received right after that, so nothing else would.

    Args:
        app: the application.
        options: see `Options`; `user` is called with the scope, and by default the id is taken
            from `scope["user"]`, without loading it from a database.
    """

    def __init__(self, app: ASGIApplication, **options: Unpack[Options]) -> None:
        super().__init__(options)
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        request = from_scope(scope, self._user)
        if self._cookie is not None:
            request.anonymous_id, is_new = self._cookie.read(request.header("cookie"))
            if is_new:
                send = _with_header(send, self._cookie.header(request.anonymous_id, scope))
        token = current.set(request)
        try:
            if self._propagation is None:
                await self.app(scope, receive, send)
            else:
                with self._propagation.extract(self.tracker, request.header):
                    await self.app(scope, receive, send)
        finally:
            current.reset(token)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def flush_and_send(message: Message) -> None:
            if message["type"] in _ENDED:
                await self._flush()
            await send(message)

        has_started = False

        async def receive_and_note() -> Message:
            nonlocal has_started
            has_started = True
            return await receive()

        try:
            await self.app(scope, receive_and_note, flush_and_send)
        except BaseException as error:
            if has_started or not isinstance(error, Exception):
                await self._flush()
                raise
        # An application without a lifespan raises, or returns, at once. Then the server would not
        # tell us of the end either: answer in its place.
        if not has_started:
            await self._answer_lifespan(receive, flush_and_send)

    async def _answer_lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _flush(self) -> None:
        tracker = self.tracker
        if not await tracker.aflush(tracker.shutdown_timeout):
            _logger.error(
                "the server ended; events not delivered within its time: %d (%g s)",
                tracker.pending,
                tracker.shutdown_timeout,
                extra={"reason": "shutdown"},
            )


def _with_header(send: Send, header: tuple[bytes, bytes]) -> Send:
    async def send_with_header(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), header]}
        await send(message)

    return send_with_header
