"""The configuration that a project's settings describe."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

__all__ = ["SETTINGS", "anonymous_cookie", "configuration", "is_configured"]

SETTINGS: Final = frozenset(
    {
        "EVENTTRACKING",
        "EVENT_TRACKING_BACKENDS",
        "EVENT_TRACKING_PROCESSORS",
        "EVENT_TRACKING_ENABLED",
    }
)

_COOKIE: Final = re.compile(r"[\w-]{1,64}", re.ASCII)

Source = str | os.PathLike[str] | Mapping[str, Any]


def is_configured() -> bool:
    """Return whether the settings have a configuration."""
    return any(hasattr(settings, name) for name in SETTINGS)


def configuration() -> Source | None:
    """Return what `EVENTTRACKING` says, or else the settings of event-tracking; None without any.

    `EVENTTRACKING` is a configuration or the path of its file. The others keep their meaning:
    `EVENT_TRACKING_ENABLED = False` is a configuration without backends.
    """
    own: Source | None = getattr(settings, "EVENTTRACKING", None)
    if own is not None or not is_configured():
        return own
    if not getattr(settings, "EVENT_TRACKING_ENABLED", True):
        return {}
    backends = getattr(settings, "EVENT_TRACKING_BACKENDS", None) or {}
    if isinstance(backends, Mapping):  # the order in which event-tracking calls them
        backends = dict(sorted(backends.items(), key=lambda item: str(item[0])))
    return {
        "processors": getattr(settings, "EVENT_TRACKING_PROCESSORS", None) or [],
        "backends": backends,
    }


def anonymous_cookie() -> str | None:
    """Return the name of the cookie that gives an anonymous visitor an id; None without one.

    Raises:
        ImproperlyConfigured: it cannot be the name of a cookie.
    """
    name = getattr(settings, "EVENTTRACKING_ANONYMOUS_COOKIE", None)
    if name is None or name == "":
        return None
    if isinstance(name, str) and _COOKIE.fullmatch(name):
        return name
    raise ImproperlyConfigured(
        "EVENTTRACKING_ANONYMOUS_COOKIE: expected 1 to 64 letters, digits, _ and -"
    )
