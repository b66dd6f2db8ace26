"""A context provider for attributes of OpenTelemetry's resource."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote

from opentelemetry._logs import get_logger_provider
from opentelemetry.trace import get_tracer_provider

from eventtracking_core.errors import require_lists

__all__ = ["Resource"]

UNKNOWN: Final = "unknown_service"
"""The SDK's name for an unnamed service."""


class Resource:
    """Adds attributes of the resource to events, with `_` for each dot: `service_name`.

    The resource is the SDK's, once one is set up, or else that of the environment variables
    `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.

    Args:
        attributes: names of the attributes to add, such as `deployment.environment.name`.
    """

    def __init__(self, attributes: Sequence[str] = ("service.name", "service.version")) -> None:
        require_lists(attributes=attributes)
        self._fields = {name: name.replace(".", "_") for name in attributes}
        self._provider: object = None
        self._values = self._listed(_from_environment())

    def __call__(self) -> Mapping[str, object]:
        """Return the listed attributes of the resource."""
        provider = get_tracer_provider()
        if provider is not self._provider:
            resource = _of(provider) or _of(get_logger_provider())
            if resource:
                self._values = self._listed(resource)
                self._provider = provider
        return self._values

    def _listed(self, resource: Mapping[str, object]) -> Mapping[str, object]:
        return {
            field: resource[name]
            for name, field in self._fields.items()
            if name in resource and not str(resource[name]).startswith(UNKNOWN)
        }


def _of(provider: object) -> Mapping[str, object]:
    # The API can't return the resource; the SDK's providers have it as an attribute.
    attributes = getattr(getattr(provider, "resource", None), "attributes", None)
    return attributes if isinstance(attributes, Mapping) else {}


def _from_environment() -> Mapping[str, str]:
    pairs = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",")
    attributes = {
        key.strip(): unquote(value.strip())
        for key, _, value in (pair.partition("=") for pair in pairs)
    }
    name = os.environ.get("OTEL_SERVICE_NAME")
    return attributes | ({"service.name": name} if name else {})
