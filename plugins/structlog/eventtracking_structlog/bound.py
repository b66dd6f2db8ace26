"""What is bound to structlog's contextvars, read for every event."""

from __future__ import annotations

from contextvars import ContextVar, copy_context
from typing import Any, Final

from structlog.contextvars import STRUCTLOG_KEY_PREFIX

__all__ = ["bound_contextvars"]

_names: Final[dict[ContextVar[Any], str]] = {}


def bound_contextvars() -> dict[str, Any]:
    """Return what `structlog.contextvars.get_contextvars` does, in less than half the time.

    A variable's name is looked at once; structlog makes one for each name, and keeps it.
    """
    bound = {}
    for variable, value in copy_context().items():
        name = _names.get(variable)
        if name is None:
            if not variable.name.startswith(STRUCTLOG_KEY_PREFIX):
                continue
            name = _names[variable] = variable.name.removeprefix(STRUCTLOG_KEY_PREFIX)
        if value is not ...:  # it was unbound
            bound[name] = value
    return bound
