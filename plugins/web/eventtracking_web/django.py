"""The endpoint for browsers as a view of Django."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from eventtracking_core.contexts.request import user_id
from eventtracking_web.collecting import Collector

__all__ = ["collector_view"]


def collector_view(endpoint: Collector) -> Callable[[HttpRequest], HttpResponse]:
    """Return the endpoint as a view, for `path("e/", …)` in the URLs of a project.

    The user of the events is that of the session, unless the endpoint has a `user` of its own,
    which gets the request's `META`. The origins of the endpoint, not CSRF tokens, decide which
    pages may send.
    """

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        environ = {**request.META, "wsgi.input": request, "REMOTE_USER": _user(request)}
        # Under ASGI the body has arrived; under WSGI it ends where its length says.
        environ["wsgi.input_terminated"] = "wsgi.input" not in request.META
        started: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(endpoint.wsgi(environ, lambda *line: started.append(line)))
        [(line, headers)] = started
        return HttpResponse(body, status=int(line[:3]), headers=dict(headers))

    return view


def _user(request: HttpRequest) -> str | int | None:
    user = getattr(request, "user", None)
    # Asking a lazy object loads it from the session.
    return user_id(user) if getattr(user, "is_authenticated", False) else None
