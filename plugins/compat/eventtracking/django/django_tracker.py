"""A tracker that is configured by Django's settings."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from django.conf import settings

from eventtracking.locator import ThreadLocalContextLocator
from eventtracking.tracker import Tracker, register_tracker

__all__ = ["DjangoTracker", "override_default_tracker"]

DJANGO_BACKEND_SETTING_NAME: Final = "EVENT_TRACKING_BACKENDS"
DJANGO_PROCESSOR_SETTING_NAME: Final = "EVENT_TRACKING_PROCESSORS"
DJANGO_ENABLED_SETTING_NAME: Final = "EVENT_TRACKING_ENABLED"


class DjangoTracker(Tracker):
    """Has the backends and processors that settings describe as `{"ENGINE": …, "OPTIONS": …}`.

    Contexts are those of the thread, and of the asyncio task.

    Args:
        backends_settings_name: of the setting with the backends, by name.
        processors_settings_name: of the setting with the list of processors.

    Raises:
        ValueError: a class cannot be found, a backend has no callable `send`, or a processor is not
            callable.
    """

    def __init__(
        self,
        backends_settings_name: str = DJANGO_BACKEND_SETTING_NAME,
        processors_settings_name: str = DJANGO_PROCESSOR_SETTING_NAME,
    ) -> None:
        super().__init__(
            self.create_backends_from_settings(backends_settings_name),
            ThreadLocalContextLocator(),
            self.create_processors_from_settings(processors_settings_name),
        )

    def create_backends_from_settings(self, settings_name: str) -> dict[str, Any]:
        """Return the backends that a setting describes, by name."""
        return instantiate(getattr(settings, settings_name, None) or {})  # type: ignore[no-any-return]

    def create_processors_from_settings(self, settings_name: str) -> list[Any]:
        """Return the processors that a setting describes."""
        return instantiate(getattr(settings, settings_name, None) or [])  # type: ignore[no-any-return]


def instantiate(node: Any) -> Any:
    """Return a setting with an object in place of each `{"ENGINE": …, "OPTIONS": …}`, at any depth.

    Raises:
        ValueError: a class cannot be found.
    """
    if isinstance(node, list):
        return [instantiate(each) for each in node]
    if not isinstance(node, dict):
        return node
    if "ENGINE" not in node:
        return {key: instantiate(each) for key, each in node.items()}
    return _find(node["ENGINE"])(**instantiate(node.get("OPTIONS", {})))


def _find(engine: str) -> Any:
    module, _, name = engine.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (AttributeError, ImportError, ValueError) as error:
        raise ValueError(f"Cannot find class {engine}") from error


def override_default_tracker() -> None:
    """Register a new `DjangoTracker` as the default one, unless `EVENT_TRACKING_ENABLED` is off."""
    if getattr(settings, DJANGO_ENABLED_SETTING_NAME, False):
        register_tracker(DjangoTracker())
