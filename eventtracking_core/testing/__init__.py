"""What users import in their tests, and the conformance suites for what they write."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eventtracking_core.testing._backends import BackendConformance
    from eventtracking_core.testing._capture import capture

__all__ = ["BackendConformance", "capture"]

# pytest imports this package wherever it is installed, so what is in it waits to be asked for.
_HOME = {"BackendConformance": "_backends", "capture": "_capture"}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
