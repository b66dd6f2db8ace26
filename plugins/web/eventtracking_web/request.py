"""The current HTTP request of ASGI and WSGI applications."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from eventtracking_core.contexts.request import Request, UserId, user_id, without_port

__all__ = ["from_environ", "from_scope"]


def from_scope(
    scope: Mapping[str, Any],
    user: Callable[[Mapping[str, Any]], UserId] | None = None,
) -> Request:
    """Return the request of an ASGI scope."""
    headers: dict[bytes, list[bytes]] = {}
    for key, value in scope.get("headers", ()):
        headers.setdefault(key.lower(), []).append(value)

    def header(name: str) -> str | None:
        values = headers.get(name.encode("latin-1"))
        separator = b"; " if name == "cookie" else b", "  # HTTP/2 splits the header
        return None if values is None else separator.join(values).decode("latin-1")

    client = scope.get("client")
    return Request(
        method=scope.get("method", ""),
        path=scope.get("path", ""),
        host=without_port(header("host")),
        address=client[0] if client else None,
        header=header,
        route=lambda: _scope_route(scope),
        user=lambda: user(scope) if user else user_id(scope.get("user")),
        session=lambda: _session_id(scope.get("session")),
    )


def from_environ(
    environ: Mapping[str, Any],
    user: Callable[[Mapping[str, Any]], UserId] | None = None,
    route: Callable[[], str | None] | None = None,
) -> Request:
    """Return the request of a WSGI environment."""

    def header(name: str) -> str | None:
        key = name.upper().replace("-", "_")
        prefix = "" if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else "HTTP_"
        value = environ.get(prefix + key)
        return value if isinstance(value, str) else None

    return Request(
        method=environ.get("REQUEST_METHOD", ""),
        path=environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""),
        host=without_port(header("host") or environ.get("SERVER_NAME")),
        address=environ.get("REMOTE_ADDR") or None,
        header=header,
        route=route or (lambda: None),
        user=lambda: user(environ) if user else (environ.get("REMOTE_USER") or None),
        session=lambda: None,
    )


def _scope_route(scope: Mapping[str, Any]) -> str | None:
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else None


def _session_id(session: object) -> str | None:
    key = getattr(session, "session_key", None)
    return key if isinstance(key, str) else None
