"""Which process of which service emitted."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from eventtracking_core.contexts import Context

__all__ = ["Process"]


class Process:
    """Puts `host`, `pid` and the service's name and version under every event's contexts.

    Args:
        service_name: `service_name` of every event; `OTEL_SERVICE_NAME` if not given.
        service_version: `service_version` of every event.
    """

    is_constant: ClassVar[bool] = True

    def __init__(self, service_name: str | None = None, service_version: str | None = None) -> None:
        service = {
            "service_name": service_name or os.environ.get("OTEL_SERVICE_NAME"),
            "service_version": service_version,
        }
        self._values: dict[str, str | int] = {"host": socket.gethostname(), "pid": os.getpid()}
        self._values |= {field: value for field, value in service.items() if value is not None}

    def __call__(self) -> Context:
        """Return the values."""
        if self._values["pid"] != os.getpid():  # forked
            self._values = {**self._values, "pid": os.getpid()}
        return self._values
