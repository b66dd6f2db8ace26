"""An extension for Flask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import g, has_request_context, request

from eventtracking_core import Tracker
from eventtracking_core.contexts.request import UserId, user_id
from eventtracking_web.wsgi import WSGIMiddleware

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["EventTracking"]


class EventTracking:
    """Adds the current request to every event of a Flask application.

    `EventTracking(app)`, or `EventTracking()` and `init_app(app)` in an application factory. The
    user is Flask-Login's current user, if it has been loaded.

    Args:
        app: the application.
        tracker: whose events get the context; the default tracker if not given.
        options: further options of `WSGIMiddleware`.
    """

    def __init__(
        self, app: Flask | None = None, tracker: Tracker | None = None, **options: Any
    ) -> None:
        self._tracker = tracker
        self._options = options
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Wrap the application; `app.extensions["eventtracking"]` is this extension then."""
        options = {"user": _user, "route": _route, **self._options}
        middleware = WSGIMiddleware(app.wsgi_app, tracker=self._tracker, **options)
        setattr(app, "wsgi_app", middleware)  # noqa: B010  as Flask documents it, past mypy
        app.extensions["eventtracking"] = self
        self.tracker = middleware.tracker


def _route() -> str | None:
    rule = request.url_rule if has_request_context() else None
    return None if rule is None else rule.rule


def _user(environ: Mapping[str, Any]) -> UserId:
    if has_request_context():
        user = user_id(g.get("_login_user"))
        if user is not None:
            return user
    remote = environ.get("REMOTE_USER")
    return remote if isinstance(remote, str) else None
