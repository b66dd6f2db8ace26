"""Switches in Django's settings."""

from __future__ import annotations

from typing import Final

__all__ = ["SEND_TRACKING_EVENT_EMITTED_SIGNAL"]


class Switch:
    """A setting of Django that is on or off.

    Args:
        name: of the setting.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def is_enabled(self) -> bool:
        """Return whether the setting is on; it is off by default."""
        from django.conf import settings

        return bool(getattr(settings, self.name, False))


SEND_TRACKING_EVENT_EMITTED_SIGNAL: Final = Switch("SEND_TRACKING_EVENT_EMITTED_SIGNAL")
