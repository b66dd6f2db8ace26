"""The endpoint as an ASGI and as a WSGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final

from eventtracking_core.contexts.request import UserId
from eventtracking_web.collecting.answers import Answer, RefusedError
from eventtracking_web.collecting.exchange import Exchange
from eventtracking_web.collecting.policy import Policy
from eventtracking_web.request import from_environ, from_scope

__all__ = ["Collector"]

_CHUNK: Final = 64 * 1024
_QUICK: Final = 32 * 1024
"""Bytes of a body that is answered in about a millisecond, if nothing blocks."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Collector:
    """The endpoint; see `collector`."""

    def __init__(
        self,
        policy: Policy,
        *,
        timeout: float,
        user: Callable[[Mapping[str, Any]], UserId] | None,
    ) -> None:
        if timeout <= 0:
            raise ValueError("timeout must be positive")
        self.policy = policy
        self._timeout = timeout
        self._user = user

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request of an ASGI server.

        Raises:
            ValueError: it is not an HTTP request; a server takes that as "no lifespan".
        """
        if scope["type"] != "http":
            raise ValueError("the endpoint answers HTTP only")
        query = scope.get("query_string", b"").decode("latin-1")
        exchange = Exchange(self.policy, from_scope(scope, self._user), query)
        try:
            async with asyncio.timeout(self._timeout):
                is_whole = await _read(exchange, receive)
        except TimeoutError:
            exchange.refuse(RefusedError(408, "the body did not arrive in time"))
        else:
            if not is_whole:
                return
        answer = exchange.answer
        if answer is None:
            is_quick = exchange.size <= _QUICK and self._user is None and self.policy.only_stores
            answer = exchange.end() if is_quick else await asyncio.to_thread(exchange.end)
        headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    def wsgi(
        self, environ: Mapping[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request of a WSGI server."""
        request = from_environ(environ, self._user)
        exchange = Exchange(self.policy, request, environ.get("QUERY_STRING", ""))
        answer = exchange.answer or _read_input(exchange, environ) or exchange.end()
        start_response(answer.line, answer.headers)
        return [answer.body]


async def _read(exchange: Exchange, receive: Receive) -> bool:
    """Feed the body; return False if the client has gone."""
    while exchange.answer is None:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        exchange.feed(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return True


def _read_input(exchange: Exchange, environ: Mapping[str, Any]) -> Answer | None:
    """Feed the body; return the answer if it is known before its end."""
    length = environ.get("CONTENT_LENGTH")
    left = int(length) if length else None
    if left is None and not environ.get("wsgi.input_terminated"):
        return exchange.refuse(RefusedError(411, "Content-Length is required"))
    while left is None or left > 0:
        chunk = environ["wsgi.input"].read(_CHUNK if left is None else min(left, _CHUNK))
        if not chunk:
            if left:
                return exchange.refuse(RefusedError(400, "the body is cut off"))
            break
        left = None if left is None else left - len(chunk)
        if exchange.feed(chunk) is not None:
            return exchange.answer
    return None
