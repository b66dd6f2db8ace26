"""The `delivery` of a node: what it says, what its router says, what the environment says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from eventtracking_core.config.convert import convert, parameters
from eventtracking_core.config.source import Substituted
from eventtracking_core.delivery import MODES, DeliveryOptions
from eventtracking_core.errors import Problem

__all__ = ["Settings", "from_environment", "read", "resolve"]

Settings = Mapping[str, Any]
"""Options of delivery that are given, converted, by name."""

_OPTIONS: Final = parameters(DeliveryOptions)[0]
_PREFIX: Final = "EVENTTRACKING_"
_NOT_OF_THE_ENVIRONMENT: Final = frozenset({"mode", "when_full", "directory"})


def read(node: Mapping[str, Any], path: str, problems: list[Problem]) -> Settings:
    """Return what a node says of its delivery; a mode alone may be written as text."""
    if "delivery" not in node:
        return {}
    at = f"{path}.delivery" if path else "delivery"
    table = node["delivery"]
    if isinstance(table, str):
        table = {"mode": table}
    if not isinstance(table, Mapping):
        problems.append(Problem(at, f"expected one of: {', '.join(MODES)}, or a table"))
        return {}
    settings = {}
    for key, value in table.items():
        if key not in _OPTIONS:
            expected = ", ".join(sorted(_OPTIONS))
            problems.append(Problem(f"{at}.{key}", f"unknown option (expected one of: {expected})"))
            continue
        settings[key], found = convert(value, _OPTIONS[key].hint, f"{at}.{key}")
        problems += found
    if settings.keys() > {"mode"} and settings.get("mode") == "inline":
        problems.append(Problem(at, "mode 'inline' has no options"))
    return settings


def from_environment(problems: list[Problem]) -> Settings:
    """Return the limits that the environment sets, such as `EVENTTRACKING_MAX_QUEUE_SIZE`."""
    settings = {}
    for name in sorted(_OPTIONS.keys() - _NOT_OF_THE_ENVIRONMENT):
        variable = _PREFIX + name.upper()
        if variable in os.environ:
            value = Substituted(os.environ[variable])
            settings[name], found = convert(value, _OPTIONS[name].hint, variable)
            problems += found
    return settings


def resolve(
    layers: list[Settings], backend: object, path: str, problems: list[Problem]
) -> DeliveryOptions:
    """Return the options of one leaf.

    Args:
        layers: what is said, the weakest first: environment, routers, the leaf itself.
        backend: may say its own `default_delivery`.
        path: the leaf's, for problems.
        problems: what is wrong is added here.
    """
    merged: dict[str, Any] = {"mode": getattr(backend, "default_delivery", "inline")}
    for layer in layers:
        merged |= layer
    try:
        return DeliveryOptions(**merged)
    except ValueError as error:
        problems.append(Problem(f"{path}.delivery", str(error)))
        return DeliveryOptions()
