"""The Django application: configures the default tracker from the settings."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from django.apps import AppConfig
from django.core.checks import register
from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility
from django.core.signals import setting_changed

from eventtracking_core import ConfigurationError, get_tracker
from eventtracking_core.config.source import CONFIG_FILE, set_default
from eventtracking_core.providers.request import FALLBACK
from eventtracking_core.providers.static import Static
from eventtracking_django.checks import check_backends, check_configuration
from eventtracking_django.project import SETTINGS, configuration, is_configured

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["EventTrackingConfig", "require_valid_configuration"]

_logger: Final = logging.getLogger("eventtracking")
_errors: Final[list[ConfigurationError]] = []


class EventTrackingConfig(AppConfig):
    """Configures the default tracker, and again whenever its settings change in a test."""

    name = "eventtracking_django"
    label = "eventtracking"
    verbose_name = "Event tracking"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Configure the default tracker.

        A configuration that cannot be used is logged here, reported by `manage.py check`, and
        refused by the middleware, so that a server does not start with it.
        """
        set_default(configuration)
        register(check_configuration, "eventtracking")
        register(check_backends, "eventtracking", deploy=True)
        setting_changed.connect(_setting_changed, dispatch_uid="eventtracking")
        tracker = get_tracker()
        tracker.add_context_provider(FALLBACK)
        command = _management_command()
        if command is not None:
            tracker.add_context_provider(Static({"command": command}))
        try:
            _configure()
        except ConfigurationError as error:
            _errors[:] = [error]
            _logger.error("%s", error)  # noqa: TRY400  the problems, without a traceback


def require_valid_configuration() -> None:
    """Check that the configuration could be used.

    Raises:
        ImproperlyConfigured: with every problem.
    """
    if _errors:
        raise ImproperlyConfigured(str(_errors[0])) from _errors[0]


def _configure() -> None:
    if is_configured():
        source = configuration()
        get_tracker().configure({} if source is None else source)
    elif CONFIG_FILE in os.environ:
        get_tracker().configure(os.environ[CONFIG_FILE])
    _errors.clear()


def _setting_changed(*, setting: str, **_: Any) -> None:
    if setting not in SETTINGS:
        return
    _configure()
    if not is_configured():
        get_tracker().configure({})


def _management_command() -> str | None:
    """Return the name of the management command that loads the applications, if one does.

    `runserver` is none of them: its events are those of requests, as on any other server.
    """
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  the way to look at a stack
    while frame is not None:
        if frame.f_code is ManagementUtility.execute.__code__:
            name = frame.f_locals.get("subcommand")
            return name if isinstance(name, str) and name != "runserver" else None
        frame = frame.f_back
    return None
