"""A tracker that is configured from a Django project's settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from eventtracking_core import Tracker, register_tracker
from eventtracking_core.providers.request import FALLBACK

if TYPE_CHECKING:
    from eventtracking_core.contexts import ContextLocator

__all__ = ["DjangoTracker"]


class DjangoTracker(Tracker):
    """A tracker that is configured from the settings.

    The default tracker is configured by the application `eventtracking_django` already: make one
    for a second tracker with the same settings, or to name a locator.

    Args:
        name: registers the tracker under this name, for `get_tracker(name)`.
        context_locator: finds the active contexts; by default each task and thread has its own.
        strict: raise what would be a warning. For tests.

    Raises:
        ConfigurationError: with every problem of the settings.
    """

    def __init__(
        self,
        name: str | None = None,
        context_locator: ContextLocator | None = None,
        *,
        strict: bool = False,
    ) -> None:
        super().__init__(context_locator=context_locator, strict=strict)
        if name is not None:
            register_tracker(self, name)
        self.add_context_provider(FALLBACK)
        self.configure()

    def configure(self, config: str | os.PathLike[str] | Mapping[str, Any] | None = None) -> None:
        """Configure from the settings, or from what is given; see `Tracker.configure`."""
        from eventtracking_django.project import configuration  # noqa: PLC0415  reads settings

        super().configure((configuration() or {}) if config is None else config)
