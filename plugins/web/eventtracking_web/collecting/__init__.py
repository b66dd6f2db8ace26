"""An endpoint that browsers send events to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eventtracking_core import Tracker
from eventtracking_core.contexts.request import UserId
from eventtracking_web.collecting.faces import Collector
from eventtracking_web.collecting.policy import Policy, Unregistered

__all__ = ["Collector", "collector"]


def collector(
    tracker: Tracker | None = None,
    *,
    keys: Mapping[str, Sequence[str]],
    origins: Sequence[str],
    context: Sequence[str] = ("page", "referrer", "title"),
    unregistered: Unregistered = "accept",
    rate: float = 50.0,
    burst: int = 1000,
    trusted_proxies: int = 0,
    timeout: float = 10.0,
    user: Callable[[Mapping[str, Any]], UserId] | None = None,
) -> Collector:
    """Return an endpoint for events of browsers: an ASGI application, whose `wsgi` is a WSGI one.

    It accepts POST requests with a JSON object: `key`, `client` (an id of the browser), `sent_at`
    and `events`, each with `id`, `name`, `timestamp`, `data` and `context`. The server adds to the
    context: `origin` is `client`, `received_at` the time it was received, and, where they are
    known, `ip` is the network of the address and `user_id` the user of the session.

    Args:
        tracker: gets the events; the default tracker if not given.
        keys: the public write keys, each with the prefixes of the names that it may send; any name
            without a prefix.
        origins: the origins whose pages may send, such as `https://example.org`; `*` for any.
        context: the fields of a client's context that are kept.
        unregistered: what happens to an event whose name is not registered: `accept`, `refuse`, or
            `namespace`, which puts `client.` before its name.
        rate: events a second that a key may send from one address, and requests from one address.
        burst: how many of them may come at once.
        trusted_proxies: how many proxies append to `X-Forwarded-For`; 0 ignores that header.
        timeout: seconds in which a request's body must arrive, under ASGI.
        user: returns the user's id from the scope or the environment; see the middlewares.

    Raises:
        ValueError: an argument is not allowed; the message says which.
    """
    policy = Policy(
        tracker=tracker,
        keys=keys,
        origins=origins,
        context=context,
        unregistered=unregistered,
        rate=rate,
        burst=burst,
        trusted_proxies=trusted_proxies,
    )
    return Collector(policy, timeout=timeout, user=user)
