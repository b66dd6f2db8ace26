"""Names of a package whose modules are imported when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

__all__ = ["lazy"]


def lazy(
    package: str, names: Mapping[str, Iterable[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package that imports some of its names late.

    Args:
        package: the package's `__name__`.
        names: the names that each module of the package defines.
    """
    homes = {name: module for module, defined in names.items() for name in defined}

    def __getattr__(name: str) -> object:  # noqa: N807  what a module calls it (PEP 562)
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:  # noqa: N807
        return list(sys.modules[package].__all__)

    return __getattr__, __dir__
