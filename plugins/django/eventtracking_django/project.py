"""The configuration that a project's settings describe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings

__all__ = ["SETTINGS", "configuration", "is_configured"]

SETTINGS: Final = frozenset(
    {
        "EVENTTRACKING",
        "EVENT_TRACKING_BACKENDS",
        "EVENT_TRACKING_PROCESSORS",
        "EVENT_TRACKING_ENABLED",
    }
)

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
    return {
        "processors": getattr(settings, "EVENT_TRACKING_PROCESSORS", None) or [],
        "backends": dict(sorted(backends.items())),  # the order in which event-tracking calls them
    }
