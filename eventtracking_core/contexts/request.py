"""The current HTTP request, in the same form for every framework."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

__all__ = ["Request", "UserId", "current", "current_request", "user_id", "without_port"]

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


def user_id(user: object) -> UserId:
    """Return the id of a framework's user object; None if it is anonymous.

    Django's users have `pk`, Starlette's `identity` or `username`, most others `id`. An object that
    would have to be loaded from a database first, such as Django's lazy user, counts as anonymous.
    """
    if type(user).__name__ == "SimpleLazyObject":  # before isinstance, which would load it
        user = vars(user).get("_wrapped")
        if type(user) is object:  # not loaded yet
            return None
    if user is None or isinstance(user, str | int):
        return user
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


def without_port(host: str | None) -> str | None:
    """Return the host of a `Host` header, without its port."""
    if not host:
        return None
    if host.startswith("["):  # IPv6
        return host.partition("]")[0][1:]
    return host.partition(":")[0]
