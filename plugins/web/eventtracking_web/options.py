"""The options that the middlewares for ASGI and WSGI have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from eventtracking_core import Tracker, get_tracker
from eventtracking_core.contexts.request import UserId
from eventtracking_core.providers.request import FALLBACK
from eventtracking_web.anonymous import AnonymousCookie
from eventtracking_web.propagation import Propagation

__all__ = ["Middleware", "Options"]


class Options(TypedDict, total=False):
    """The options of a middleware.

    Attributes:
        tracker: whose events get the context; the default tracker if not given.
        user: returns the user's id from the request's scope or environment.
        propagation: enter the context that other services sent in a header. Only for requests of
            services you trust, or with a secret.
        anonymous_cookie: the name of a cookie that gives an anonymous visitor a stable
            `anonymous_id`; without one no cookie is set.
    """

    tracker: Tracker | None
    user: Callable[[Mapping[str, Any]], UserId] | None
    propagation: Propagation | None
    anonymous_cookie: str | None


class Middleware:
    """A middleware with these options.

    Raises:
        TypeError: there is no such option.
    """

    def __init__(self, options: Options) -> None:
        for name in options.keys() - Options.__annotations__.keys():
            raise TypeError(f"{type(self).__name__} has no option {name!r}")
        self._tracker = options.get("tracker")
        self._user = options.get("user")
        self._propagation = options.get("propagation")
        cookie = options.get("anonymous_cookie")
        self._cookie = AnonymousCookie(cookie) if cookie else None
        self.tracker.add_context_provider(FALLBACK)

    @property
    def tracker(self) -> Tracker:
        """The tracker whose events get the context."""
        return self._tracker or get_tracker()
