"""System checks: what is wrong with the configuration, and which backends cannot be reached."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  Django's name for it
from django.core.exceptions import ImproperlyConfigured

from eventtracking_core import ConfigurationError, get_tracker
from eventtracking_core.config import build, read, review
from eventtracking_core.config.connecting import connect
from eventtracking_django.project import anonymous_cookie, configuration

__all__ = ["check_backends", "check_configuration"]

CONNECT_TIMEOUT: Final = 3.0
"""Seconds in which the backends must answer, all at the same time."""

MIDDLEWARE: Final = "eventtracking_django.middleware.EventTrackingMiddleware"


def check_configuration(**_: Any) -> list[CheckMessage]:
    """Return every problem of the settings, with its path."""
    return [*_configuration_problems(), *_cookie_problems()]


def _cookie_problems() -> list[CheckMessage]:
    try:
        anonymous_cookie()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="eventtracking.E002")]
    return []


def _configuration_problems() -> list[CheckMessage]:
    source = configuration()
    if source is None:
        hint = "Set EVENTTRACKING, or remove the application."
        return [Warning("There is no configuration.", hint=hint, id="eventtracking.W001")]
    messages: list[CheckMessage] = []
    try:
        config = read(source)
        tree = build(config, owner=get_tracker())
    except ConfigurationError as error:
        messages += [
            Error(f"{problem.path or error.source}: {problem.message}", id="eventtracking.E001")
            for problem in error.problems
        ]
    else:
        messages += [
            Warning(f"{problem.path or config.source}: {problem.message}", id="eventtracking.W002")
            for problem in review(config, tree.root, has_types=True)
        ]
    if MIDDLEWARE not in settings.MIDDLEWARE:
        hint = f"Put {MIDDLEWARE!r} first in MIDDLEWARE."
        messages.append(
            Warning("Events have no request.", hint=hint, id="eventtracking.W003"),
        )
    return messages


def check_backends(**_: Any) -> list[CheckMessage]:
    """Return a warning for each backend whose sink cannot be reached."""
    return [
        Warning(f"backends.{probe.path}: {probe.message}", id="eventtracking.W004")
        for probe in connect(get_tracker().root, CONNECT_TIMEOUT)
        if probe.ok is False
    ]
