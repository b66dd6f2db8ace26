"""Settings beside the components: delivery, policies and telemetry, and their environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from eventtracking_core._text import join
from eventtracking_core.config.options import Annotation, Parameter, parameters
from eventtracking_core.config.reader import DeliverySettings, NodeContext, Problems, unknown
from eventtracking_core.config.source import Substituted
from eventtracking_core.delivery import MODES, DeliveryOptions
from eventtracking_core.routing.coroutines import speaks_asyncio
from eventtracking_core.settings import DEFAULT, NO_TELEMETRY, Policies, Telemetry

__all__ = [
    "DELIVERY",
    "POLICIES",
    "ROOT_ONLY",
    "delivery_from_environment",
    "merge_delivery",
    "misplaced",
    "read_delivery",
    "read_policies",
    "read_telemetry",
]

DELIVERY: Final = parameters(DeliveryOptions)[0]
POLICIES: Final = parameters(Policies)[0]
ROOT_ONLY: Final = (
    *("context", "metadata", "disable", "shutdown_timeout", "telemetry"),
    *POLICIES,
)
"""Keys that only the top of a configuration has."""

_SWITCH: Final = Annotation(bool)
_SWITCHES: Final = {name: Parameter(name, bool, None) for name in Telemetry._fields}
_NO_VARIABLES: Final = frozenset({"mode", "when_full", "directory"})


def read_delivery(node: Mapping[str, Any], path: str, problems: Problems) -> DeliverySettings:
    """Return the settings of a node's `delivery`; a mode alone may be written as text."""
    if "delivery" not in node:
        return {}
    at = join(path, "delivery")
    table = node["delivery"]
    if isinstance(table, str):
        table = {"mode": table}
    if not isinstance(table, dict):
        problems.add(at, f"expected one of: {', '.join(MODES)}, or a table")
        return {}
    settings = _read(table, DELIVERY, at, problems, DeliveryOptions)
    if settings.keys() > {"mode"} and settings.get("mode") == "inline":
        problems.add(at, "mode 'inline' has no options")
    return settings


def delivery_from_environment(problems: Problems) -> DeliverySettings:
    """Return the limits that the environment sets, such as `EVENTTRACKING_MAX_QUEUE_SIZE`."""
    limits = [DELIVERY[name] for name in sorted(DELIVERY.keys() - _NO_VARIABLES)]
    return _from_variables(limits, problems, DeliveryOptions)


def merge_delivery(context: NodeContext, backend: object) -> dict[str, Any]:
    """Return the delivery settings of one leaf, whose backend may have a `default_delivery`."""
    default = "queue" if speaks_asyncio(backend) else getattr(backend, "default_delivery", "inline")
    merged: dict[str, Any] = {"mode": default} if isinstance(default, str) else dict(default)
    for settings in context.inherited_delivery:
        merged |= settings
    return merged


def read_policies(tree: Mapping[str, Any], problems: Problems) -> Policies:
    """Return the policies at the root of a configuration; the environment may set the size."""
    size = [] if "max_event_size" in tree else [POLICIES["max_event_size"]]
    settings = _from_variables(size, problems, Policies)
    given = {key: tree[key] for key in POLICIES if key in tree}
    settings |= _read(given, POLICIES, "", problems, Policies)
    return Policies(**settings) if settings else DEFAULT


def read_telemetry(tree: Mapping[str, Any], problems: Problems) -> Telemetry:
    """Return which telemetry to publish: a truth value for all of it, or a table of switches.

    What is not given comes from the environment, as `EVENTTRACKING_TELEMETRY_SPANS`.
    """
    given = tree.get("telemetry", True)
    switches = _SWITCHES.values()
    environment = _from_variables(switches, problems, Telemetry, "TELEMETRY_")
    if isinstance(given, dict):
        return Telemetry(
            **(environment | _read(given, _SWITCHES, "telemetry", problems, Telemetry))
        )
    if isinstance(given, Substituted):
        given, _ = problems.convert(given, _SWITCH, "telemetry")
    elif not isinstance(given, bool):
        expected = ", ".join(_SWITCHES)
        problems.add("telemetry", f"expected true, false, or a table of {expected}")
    return Telemetry(**environment) if given is True else NO_TELEMETRY


def misplaced(key: object) -> str | None:
    """Return the message for a known setting in the wrong table of a backend; else None."""
    if key in ROOT_ONLY:
        return "belongs at the top of the configuration"
    return f"unknown option; did you mean 'delivery.{key}'?" if key in DELIVERY else None


def _read(
    table: Mapping[str, Any],
    known: Mapping[str, Parameter],
    path: str,
    problems: Problems,
    check: Callable[..., object],
) -> dict[str, Any]:
    """Return the settings of a table, each converted and checked alone."""
    settings: dict[str, Any] = {}
    for key, value in table.items():
        at = join(path, key)
        if key not in known:
            problems.add(at, misplaced(key) or unknown(key, sorted(known)))
            continue
        settings |= _setting(known[key], value, at, problems, check)
    return settings


def _from_variables(
    options: Iterable[Parameter],
    problems: Problems,
    check: Callable[..., object],
    prefix: str = "",
) -> dict[str, Any]:
    """Return the options that the environment sets, each by a prefix and its name."""
    settings: dict[str, Any] = {}
    for option in options:
        name = f"EVENTTRACKING_{prefix}{option.name.upper()}"
        text = os.environ.get(name)
        if text is not None:
            settings |= _setting(option, Substituted(text), name, problems, check)
    return settings


def _setting(
    option: Parameter, value: object, path: str, problems: Problems, check: Callable[..., object]
) -> dict[str, Any]:
    converted, is_converted = problems.convert(value, option.annotation, path)
    if not is_converted:
        return {}
    try:
        check(**{option.name: converted})
    except ValueError as error:
        problems.add(path, str(error))
        return {}
    return {option.name: converted}
