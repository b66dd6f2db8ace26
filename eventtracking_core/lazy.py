"""Names of a package whose modules are imported when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

__all__ = ["lazy"]


def lazy(package: str, *modules: str) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package that imports some of its names late.

    Args:
        package: the package's `__name__`.
        modules: its modules that define them, in the order in which they are imported until one
            has the name in its `__all__`: the cheap ones first.
    """

    def __getattr__(name: str) -> object:  # noqa: N807  what a module calls it (PEP 562)
        for module in modules if name in sys.modules[package].__all__ else ():
            home = import_module(f"{package}.{module}")
            if name in home.__all__:
                value = getattr(home, name)
                setattr(sys.modules[package], name, value)
                return value
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def __dir__() -> list[str]:  # noqa: N807
        return list(sys.modules[package].__all__)

    return __getattr__, __dir__
