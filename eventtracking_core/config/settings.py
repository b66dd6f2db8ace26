"""Settings beside the components: delivery, policies and telemetry, and their environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from eventtracking_core.config.options import Parameter, parameters
from eventtracking_core.config.reader import DeliverySettings, NodeContext, Problems, join
from eventtracking_core.config.source import Substituted
from eventtracking_core.delivery import MODES, DeliveryOptions
from eventtracking_core.policies import DEFAULT, Policies
from eventtracking_core.tree import NO_TELEMETRY, Telemetry

__all__ = [
    "DELIVERY",
    "POLICIES",
    "delivery_from_environment",
    "read_delivery",
    "read_policies",
    "read_telemetry",
    "resolve_delivery",
]

DELIVERY: Final = parameters(DeliveryOptions)[0]
POLICIES: Final = parameters(Policies)[0]
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
    if not isinstance(table, Mapping):
        problems.add(at, f"expected one of: {', '.join(MODES)}, or a table")
        return {}
    settings = _read(table, DELIVERY, at, problems)
    if settings.keys() > {"mode"} and settings.get("mode") == "inline":
        problems.add(at, "mode 'inline' has no options")
    return settings


def delivery_from_environment(problems: Problems) -> DeliverySettings:
    """Return the limits that the environment sets, such as `EVENTTRACKING_MAX_QUEUE_SIZE`."""
    limits = [DELIVERY[name] for name in sorted(DELIVERY.keys() - _NO_VARIABLES)]
    return _from_environment(limits, "EVENTTRACKING_", problems)


def resolve_delivery(context: NodeContext, backend: object, problems: Problems) -> DeliveryOptions:
    """Return the delivery options of one leaf, whose backend may have a `default_delivery`."""
    merged: dict[str, Any] = {"mode": getattr(backend, "default_delivery", "inline")}
    for settings in context.inherited_delivery:
        merged |= settings
    try:
        return DeliveryOptions(**merged)
    except ValueError as error:
        problems.add(f"{context.path}.delivery", str(error))
        return DeliveryOptions()


def read_policies(tree: Mapping[str, Any], problems: Problems) -> Policies:
    """Return the policies at the root of a configuration; the environment may set the size."""
    size = [] if "max_event_size" in tree else [POLICIES["max_event_size"]]
    before = len(problems)
    settings = _from_environment(size, "EVENTTRACKING_", problems)
    given = {key: tree[key] for key in POLICIES if key in tree}
    settings |= _read(given, POLICIES, "", problems)
    try:
        return Policies(**settings) if settings and len(problems) == before else DEFAULT
    except ValueError as error:
        problems.add("max_event_size", str(error))
        return DEFAULT


def read_telemetry(tree: Mapping[str, Any], problems: Problems) -> Telemetry:
    """Return which telemetry to publish: a truth value for all of it, or a table of switches.

    What is not given comes from the environment, as `EVENTTRACKING_TELEMETRY_SPANS`.
    """
    given = tree.get("telemetry", True)
    environment = _from_environment(_SWITCHES.values(), "EVENTTRACKING_TELEMETRY_", problems)
    if isinstance(given, Mapping):
        return Telemetry(**(environment | _read(given, _SWITCHES, "telemetry", problems)))
    if not isinstance(given, bool | Substituted):
        expected = ", ".join(_SWITCHES)
        problems.add("telemetry", f"expected true, false, or a table of {expected}")
        return NO_TELEMETRY
    is_on, _ = problems.convert(given, bool, "telemetry")
    return Telemetry(**environment) if is_on else NO_TELEMETRY


def _read(
    table: Mapping[str, Any], known: Mapping[str, Parameter], path: str, problems: Problems
) -> dict[str, Any]:
    """Return the settings of a table, converted."""
    settings = {}
    for key, value in table.items():
        at = join(path, key)
        if key not in known:
            expected = ", ".join(sorted(known))
            problems.add(at, f"unknown option (expected one of: {expected})")
            continue
        converted, is_converted = problems.convert(value, known[key].hint, at)
        if is_converted:
            settings[key] = converted
    return settings


def _from_environment(
    options: Iterable[Parameter], prefix: str, problems: Problems
) -> dict[str, Any]:
    """Return the options that the environment sets, each by a prefix and its name."""
    settings = {}
    for option in options:
        variable = prefix + option.name.upper()
        if variable in os.environ:
            value = Substituted(os.environ[variable])
            converted, is_converted = problems.convert(value, option.hint, variable)
            if is_converted:
                settings[option.name] = converted
    return settings
