"""System checks: what is wrong with the configuration, and which backends cannot be reached."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  Django's name for it

from eventtracking_core import ConfigurationError, get_tracker
from eventtracking_core.config import build, read, review
from eventtracking_core.config.source import join
from eventtracking_django.project import configuration

__all__ = ["check_backends", "check_configuration"]

CONNECT_TIMEOUT: Final = 3.0
"""Seconds in which a backend must answer."""

MIDDLEWARE: Final = "eventtracking_django.middleware.EventTrackingMiddleware"

_PORTS: Final = {
    "amqp": 5672,
    "amqps": 5671,
    "http": 80,
    "https": 443,
    "mongodb": 27017,
    "postgresql": 5432,
    "redis": 6379,
    "rediss": 6379,
}


def check_configuration(**_: Any) -> list[CheckMessage]:
    """Return every problem of the configuration, with its path."""
    source = configuration()
    if source is None:
        hint = "Set EVENTTRACKING, or remove the application."
        return [Warning("There is no configuration.", hint=hint, id="eventtracking.W001")]
    messages: list[CheckMessage] = []
    try:
        found = read(source)
        tree = build(found, owner=get_tracker())
    except ConfigurationError as error:
        messages += [
            Error(f"{problem.path}: {problem.message}", id="eventtracking.E001")
            for problem in error.problems
        ]
    else:
        messages += [
            Warning(f"{problem.path}: {problem.message}", id="eventtracking.W002")
            for problem in review(found, tree.root, has_types=True)
        ]
    if MIDDLEWARE not in settings.MIDDLEWARE:
        hint = f"Put {MIDDLEWARE!r} first in MIDDLEWARE."
        messages.append(
            Warning("Events have no request.", hint=hint, id="eventtracking.W003"),
        )
    return messages


def check_backends(**_: Any) -> list[CheckMessage]:
    """Return a warning for each server in the configuration that accepts no connection."""
    try:
        found = read(configuration() or {})
    except ConfigurationError:  # reported by the other check
        return []
    messages: list[CheckMessage] = []
    for path, host, port in sorted(set(_addresses(found.tree, ""))):
        try:
            socket.create_connection((host, port), timeout=CONNECT_TIMEOUT).close()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            messages.append(
                Warning(
                    f"{path}: {host}:{port} cannot be reached: {reason}", id="eventtracking.W004"
                )
            )
    return messages


def _addresses(value: object, path: str) -> Iterator[tuple[str, str, int]]:
    """Yield the servers that options name, each with its path; never more of a URL."""
    if isinstance(value, Mapping):
        host, port = value.get("host"), value.get("port")
        if isinstance(host, str) and isinstance(port, int):
            yield path, host, port
        for key, item in value.items():
            yield from _addresses(item, join(path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _addresses(item, f"{path}[{number}]")
    elif isinstance(value, str) and "://" in value:
        for host, port in _hosts(value):
            yield path, host, port


def _hosts(url: str) -> Iterator[tuple[str, int]]:
    """Yield the hosts of a URL, which may have several, as MongoDB's do."""
    scheme, _, rest = url.partition("://")
    servers = rest.partition("/")[0].rpartition("@")[2]
    for server in servers.split(","):
        try:
            parts = urlsplit(f"//{server}")
            port = parts.port or _PORTS.get(scheme.lower())
        except ValueError:
            continue
        if parts.hostname and port:
            yield parts.hostname, port
