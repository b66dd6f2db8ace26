"""The current HTTP request, in the same form for every framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Request", "current", "current_request", "from_environ", "from_scope"]

UserId = str | int | None


@dataclass(slots=True, eq=False)
class Request:
    """A request, as the context provider `request` reads it when an event is emitted.

    What is known only later, such as the user and the route, is a function without arguments.

    Args:
        method: such as `GET`; empty for a websocket.
        path: the path without the query string.
        host: the host the client asked for, without the port.
        address: the address of the peer, which may be a proxy.
        header: returns a header's value by its lower-case name, or None.
        route: returns the template of the route, such as `/users/{id}`, once it is known.
        user: returns the user's id, or None for an anonymous visitor.
        session: returns an identifier of the session, or None.
        anonymous_id: a stable identifier of an anonymous visitor, if there is one.
        is_described: whether a configured provider already describes this request.
    """

    method: str
    path: str
    host: str | None
    address: str | None
    header: Callable[[str], str | None]
    route: Callable[[], str | None]
    user: Callable[[], UserId]
    session: Callable[[], str | None]
    anonymous_id: str | None = None
    is_described: bool = False


current: Final[ContextVar[Request | None]] = ContextVar("eventtracking_request", default=None)


def current_request() -> Request | None:
    """Return the request that is being answered, or None outside of one."""
    return current.get()


def from_scope(
    scope: Mapping[str, Any],
    user: Callable[[Mapping[str, Any]], UserId] | None = None,
) -> Request:
    """Return the request of an ASGI scope."""
    headers = scope.get("headers", ())

    def header(name: str) -> str | None:
        wanted = name.encode("latin-1")
        values = [value for key, value in headers if key.lower() == wanted]
        return ", ".join(value.decode("latin-1") for value in values) if values else None

    client = scope.get("client")
    return Request(
        method=scope.get("method", ""),
        path=scope.get("path", ""),
        host=_without_port(header("host")),
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
        host=_without_port(header("host") or environ.get("SERVER_NAME")),
        address=environ.get("REMOTE_ADDR") or None,
        header=header,
        route=route or _no_route,
        user=lambda: user(environ) if user else (environ.get("REMOTE_USER") or None),
        session=_no_session,
    )


def user_id(user: object) -> UserId:
    """Return the id of a framework's user object; None if it is anonymous.

    Django's users have `pk`, Starlette's `identity` or `username`, most others `id`. An object that
    would have to be loaded from a database first, such as Django's lazy user, counts as anonymous.
    """
    if user is None or isinstance(user, str | int):
        return user
    if type(user).__name__ == "SimpleLazyObject" or hasattr(type(user), "_setupfunc"):
        user = vars(user).get("_wrapped")
        if type(user) is object:  # not loaded yet
            return None
    if not getattr(user, "is_authenticated", True):
        return None
    for name in ("pk", "id", "identity", "username"):
        try:
            value = getattr(user, name, None)
        except NotImplementedError:  # Starlette's BaseUser
            continue
        if isinstance(value, str | int):
            return value
        if value is not None:
            return str(value)
    return None


def _scope_route(scope: Mapping[str, Any]) -> str | None:
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else None


def _session_id(session: object) -> str | None:
    key = getattr(session, "session_key", None)
    return key if isinstance(key, str) else None


def _without_port(host: str | None) -> str | None:
    if not host:
        return None
    if host.startswith("["):  # IPv6
        return host.partition("]")[0][1:]
    return host.partition(":")[0]


def _no_route() -> None:
    return None


def _no_session() -> None:
    return None
