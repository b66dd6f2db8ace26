"""Read the values bound to structlog's contextvars."""

from __future__ import annotations

from contextvars import ContextVar, copy_context
from typing import Any, Final

from structlog.contextvars import STRUCTLOG_KEY_PREFIX

__all__ = ["bound_contextvars"]

MAX_VARIABLES: Final = 1000


class _Names(dict[ContextVar[Any], str]):
    """Structlog's name for each variable; empty for variables of other libraries."""

    def __missing__(self, variable: ContextVar[Any]) -> str:
        is_structlogs = variable.name.startswith(STRUCTLOG_KEY_PREFIX)
        name = variable.name.removeprefix(STRUCTLOG_KEY_PREFIX) if is_structlogs else ""
        if len(self) < MAX_VARIABLES:  # a program may create variables without limit
            self[variable] = name
        return name


_names: Final = _Names()


def bound_contextvars() -> dict[str, Any]:
    """Return the same values as `structlog.contextvars.get_contextvars`, in half the time.

    Each variable's name is parsed once: an application has dozens, and few are structlog's.
    """
    context = copy_context()
    return {
        name: value
        for variable in context
        if (name := _names[variable]) and (value := context[variable]) is not ...  # if unbound
    }
