"""The current request, as Django has it."""

from __future__ import annotations

from typing import Final

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from eventtracking_core.contexts.request import Request, UserId, user_id, without_port
from eventtracking_django.asynchronous import is_async

__all__ = ["describe"]

_SALT: Final = "eventtracking.session"


def describe(request: HttpRequest) -> Request:
    """Return a request in the form that the context provider `request` reads."""
    meta = request.META
    return Request(
        method=request.method or "",
        path=request.path,
        host=without_port(meta.get("HTTP_HOST") or meta.get("SERVER_NAME")),
        address=meta.get("REMOTE_ADDR") or None,
        header=lambda name: _header(request, name),
        route=lambda: _route(request),
        user=lambda: _user(request),
        session=lambda: _session(request),
    )


def _header(request: HttpRequest, name: str) -> str | None:
    return request.headers.get(name)  # Django makes all of them when one is read


def _route(request: HttpRequest) -> str | None:
    match = request.resolver_match
    return None if match is None else f"/{match.route}"


def _user(request: HttpRequest) -> UserId:
    """Return the user's id: of the user if it is loaded, else as the session has it."""
    for loaded in ("_cached_user", "_acached_user"):
        user = getattr(request, loaded, None)
        if user is not None:
            return user_id(user)
    user_of_request = user_id(getattr(request, "user", None))  # also what other middleware has set
    return _session_user(request) if user_of_request is None else user_of_request


def _session_user(request: HttpRequest) -> UserId:
    """Return the user that the session names; a session is not loaded in async code."""
    session = getattr(request, "session", None)
    if session is None or (not hasattr(session, "_session_cache") and is_async()):
        return None
    was_accessed = session.accessed
    try:
        key = session.get(SESSION_KEY)
    finally:
        session.accessed = was_accessed  # an event does not make the response vary by the cookie
    return key if isinstance(key, str | int) else None


def _session(request: HttpRequest) -> str | None:
    """Return an identifier of the session that is useless for logging in."""
    key = getattr(getattr(request, "session", None), "session_key", None)
    return salted_hmac(_SALT, key, algorithm="sha256").hexdigest()[:32] if key else None
