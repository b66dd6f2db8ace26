"""Settings beside the components: delivery, policies and telemetry, and their environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from eventtracking_core.config.options import Annotation, Keys, Problems
from eventtracking_core.config.parameters import Parameter, parameters
from eventtracking_core.config.source import Substituted
from eventtracking_core.delivery.options import MODES, DeliveryOptions, check_options
from eventtracking_core.settings import (
    DEFAULT,
    DEFAULT_TELEMETRY,
    NO_TELEMETRY,
    Policies,
    Telemetry,
)

__all__ = [
    "DELIVERY",
    "POLICIES",
    "PREFIX",
    "ROOT_ONLY",
    "VARIABLES",
    "DeliverySettings",
    "Environment",
    "disabled_by",
    "limits_from",
    "misplaced",
    "read_delivery",
    "read_environment",
    "read_option",
    "read_policies",
    "read_telemetry",
    "unknown",
]

DeliverySettings = Mapping[str, Any]
"""Options of delivery that are given, converted, by name."""

DELIVERY: Final = parameters(DeliveryOptions)[0]
POLICIES: Final = parameters(Policies)[0]
ROOT_ONLY: Final = (
    *("context", "metadata", "disable", "shutdown_timeout", "telemetry"),
    *POLICIES,
)
"""Keys that only the top of a configuration has."""

_SWITCH: Final = Annotation(bool)
_SWITCHES: Final = {name: Parameter(name, bool, None) for name in Telemetry._fields}
_LIMITS: Final = sorted(DELIVERY.keys() - {"mode", "when_full", "directory"})
_LONGEST_TYPO: Final = 60
PREFIX: Final = "EVENTTRACKING_"
VARIABLES: Final = {
    f"{PREFIX}{name.upper()}": name
    for name in (
        "disable_plugins",
        *(f"telemetry_{switch}" for switch in _SWITCHES),
        "max_event_size",
        *_LIMITS,
    )
}

Environment = Mapping[str, str]
"""The values of variables that are set, by what they set: `max_queue_size`, `telemetry_spans`."""

Check = Callable[[Mapping[str, Any]], object]
"""Raises a `ValueError` for settings, given by name, that are not allowed."""


def read_environment() -> Environment:
    """Return the variables that are set, such as `EVENTTRACKING_MAX_QUEUE_SIZE`."""
    environment = {}
    for variable, name in VARIABLES.items():
        try:
            environment[name] = os.environ[variable]
        except KeyError:
            continue
    return environment


def disabled_by(environment: Environment) -> list[str]:
    """Return the plugins that the environment disables."""
    names = environment.get("disable_plugins", "").split(",")
    return [*filter(None, map(str.strip, names))]


def read_option(table: Mapping[str, Any], option: Parameter, problems: Problems) -> Any:
    """Return the value of an option at the root, or its default."""
    if option.name not in table:
        return option.default
    value, is_converted = problems.convert(table[option.name], option.annotation, (option.name,))
    return value if is_converted else option.default


def read_delivery(table: object, path: Keys, problems: Problems) -> DeliverySettings:
    """Return the settings of a node's `delivery`; a mode alone may be written as text."""
    path = (*path, "delivery")
    if isinstance(table, str):
        table = {"mode": table}
    if not isinstance(table, dict):
        problems.add(path, f"expected one of: {', '.join(MODES)}, or a table")
        return {}
    settings = _read(table, DELIVERY, path, problems, check_options)
    if settings.keys() > {"mode"} and settings.get("mode") == "inline":
        problems.add(path, "mode 'inline' has no options")
    return settings


def limits_from(environment: Environment, problems: Problems) -> DeliverySettings:
    """Return the limits of delivery that the environment sets."""
    limits = [DELIVERY[name] for name in _LIMITS]
    return _from_environment(environment, limits, problems, check_options)


def read_policies(
    table: Mapping[str, Any], environment: Environment, problems: Problems
) -> Policies:
    """Return the policies at the root of a configuration; the environment may set the size."""
    size = [] if "max_event_size" in table else [POLICIES["max_event_size"]]
    settings = _from_environment(environment, size, problems, _check_policies)
    given = {key: table[key] for key in POLICIES if key in table}
    settings |= _read(given, POLICIES, (), problems, _check_policies)
    return Policies(**settings) if settings else DEFAULT


def read_telemetry(
    table: Mapping[str, Any], environment: Environment, problems: Problems
) -> Telemetry:
    """Return which telemetry to publish: a truth value for all of it, or a table of switches.

    What is not given comes from the environment, as `EVENTTRACKING_TELEMETRY_SPANS`.
    """
    given = table.get("telemetry", True)
    switches = _SWITCHES.values()
    settings = _from_environment(environment, switches, problems, prefix="telemetry_")
    if isinstance(given, dict):
        settings |= _read(given, _SWITCHES, ("telemetry",), problems)
        given = True
    elif isinstance(given, Substituted):
        given, _ = problems.convert(given, _SWITCH, ("telemetry",))
    elif not isinstance(given, bool):
        expected = ", ".join(_SWITCHES)
        problems.add(("telemetry",), f"expected true, false, or a table of {expected}")
    if given is not True:
        return NO_TELEMETRY
    return Telemetry(**settings) if settings else DEFAULT_TELEMETRY


def misplaced(key: object) -> str | None:
    """Return the message for a known setting in the wrong table of a backend; else None."""
    if key in ROOT_ONLY:
        return "belongs at the top of the configuration"
    return f"unknown option; did you mean 'delivery.{key}'?" if key in DELIVERY else None


def unknown(
    key: object, known: Collection[str], noun: str = "option", common: Collection[str] = ()
) -> str:
    """Return the message for a key that is not known: the nearest one, or else all of them.

    Args:
        key: the key.
        known: the keys that are known here.
        noun: the word for a key.
        common: the keys that are known in each table of the kind.
    """
    if isinstance(key, str) and len(key) <= _LONGEST_TYPO:
        near = get_close_matches(key, [*known, *common], n=1)
        if near:
            return f"unknown {noun}; did you mean {near[0]!r}?"
    expected = f"expected one of: {', '.join(known)}" if known else f"this type has no {noun}s"
    also = f"; on every node: {', '.join(common)}" if common else ""
    return f"unknown {noun} ({expected}{also})"


def _read(
    table: Mapping[str, Any],
    known: Mapping[str, Parameter],
    path: Keys,
    problems: Problems,
    check: Check | None = None,
) -> dict[str, Any]:
    """Return the settings of a table, each converted and checked alone."""
    settings: dict[str, Any] = {}
    for key, value in table.items():
        if key in known:
            settings |= _setting(known[key], value, (*path, key), problems, check)
        else:
            problems.add((*path, str(key)), misplaced(key) or unknown(key, sorted(known)))
    return settings


def _from_environment(
    environment: Environment,
    options: Iterable[Parameter],
    problems: Problems,
    check: Check | None = None,
    prefix: str = "",
) -> dict[str, Any]:
    """Return the options that the environment sets, each by a prefix and its name."""
    settings: dict[str, Any] = {}
    for option in options:
        name = prefix + option.name
        if name in environment:
            path = (PREFIX + name.upper(),)
            settings |= _setting(option, Substituted(environment[name]), path, problems, check)
    return settings


def _setting(
    option: Parameter, value: object, path: Keys, problems: Problems, check: Check | None
) -> dict[str, Any]:
    converted, is_converted = problems.convert(value, option.annotation, path)
    if not is_converted:
        return {}
    setting = {option.name: converted}
    if check is not None:
        try:
            check(setting)
        except ValueError as error:
            problems.add(path, str(error))
            return {}
    return setting


def _check_policies(settings: Mapping[str, Any]) -> None:
    Policies(**settings)
