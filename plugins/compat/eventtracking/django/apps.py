"""Configure the default tracker from Django's settings."""

from __future__ import annotations

from importlib.util import find_spec

from django.apps import AppConfig

from eventtracking.django.django_tracker import override_default_tracker

__all__ = ["EventTrackingConfig"]


class EventTrackingConfig(AppConfig):
    """Registers a `DjangoTracker` as the default tracker."""

    name = "eventtracking.django"
    label = "eventtracking_django"

    def ready(self) -> None:
        """Register the tracker, and connect to the event bus where it is installed."""
        override_default_tracker()
        if find_spec("openedx_events") is not None:
            from eventtracking import handlers  # noqa: F401  connects to its signal
