"""Settings beside the components: delivery, policies and telemetry, and their environment."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
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
    SHUTDOWN_TIMEOUT,
    Policies,
    Telemetry,
)
from eventtracking_core.units import Seconds

__all__ = [
    "DELIVERY",
    "POLICIES",
    "PREFIX",
    "ROOT_ONLY",
    "VARIABLES",
    "DeliverySettings",
    "disabled_by",
    "misplaced",
    "read_delivery",
    "read_settings",
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
_OPTIONS: Final = {
    "disable": Parameter("disable", list[str], ()),
    "shutdown_timeout": Parameter("shutdown_timeout", Seconds, SHUTDOWN_TIMEOUT),
    **POLICIES,
}
"""Options at the root of a configuration."""

_LONGEST_TYPO: Final = 60
PREFIX: Final = "EVENTTRACKING_"
VARIABLES: Final = {
    f"{PREFIX}{option.name.upper()}": option
    for option in (
        Parameter("disable_plugins", Any, ""),
        *(Parameter(f"telemetry_{name}", bool, None) for name in _SWITCHES),
        POLICIES["max_event_size"],
        *(DELIVERY[name] for name in _LIMITS),
    )
}
"""What the environment may set."""


def read_settings(
    table: Mapping[str, Any], problems: Problems
) -> tuple[list[str], float, Policies, Telemetry, DeliverySettings]:
    """Read the settings at the root; the environment sets those that are not there.

    Returns:
        The plugins that must not be loaded, the seconds that a shutdown may take, the policies, the
        telemetry to publish, and the delivery options that the environment sets.
    """
    given = {name: table[name] for name in _OPTIONS if name in table}
    for variable, option in VARIABLES.items():
        try:
            text = os.environ[variable]
        except KeyError:
            continue
        if option.name not in given:
            given[variable] = Substituted(text)
    settings = _read(given, VARIABLES | _OPTIONS, (), problems)
    switches = {
        name: settings[f"telemetry_{name}"] for name in _SWITCHES if f"telemetry_{name}" in settings
    }
    policies = {name: settings[name] for name in POLICIES if name in settings}
    return (
        [*disabled_by(settings.get("disable_plugins", "")), *settings.get("disable", ())],
        settings.get("shutdown_timeout", SHUTDOWN_TIMEOUT),
        Policies(**policies) if policies else DEFAULT,
        _read_telemetry(table.get("telemetry", True), switches, problems),
        {name: settings[name] for name in _LIMITS if name in settings},
    )


def disabled_by(names: str) -> list[str]:
    """Return the plugins that `EVENTTRACKING_DISABLE_PLUGINS` disables, given its value."""
    return [*filter(None, map(str.strip, names.split(",")))]


def read_delivery(table: object, path: Keys, problems: Problems) -> DeliverySettings:
    """Return the settings of a node's `delivery`; a mode alone may be written as text."""
    path = (*path, "delivery")
    if isinstance(table, str):
        table = {"mode": table}
    if not isinstance(table, dict):
        problems.add(path, f"expected one of: {', '.join(MODES)}, or a table")
        return {}
    settings = _read(table, DELIVERY, path, problems)
    if settings.keys() > {"mode"} and settings.get("mode") == "inline":
        problems.add(path, "mode 'inline' has no options")
    return settings


def _read_telemetry(given: object, switches: dict[str, Any], problems: Problems) -> Telemetry:
    """Return which telemetry to publish.

    Args:
        given: a truth value for all of it, or a table of switches.
        switches: those that the environment sets.
        problems: collects what is wrong.
    """
    if isinstance(given, dict):
        switches |= _read(given, _SWITCHES, ("telemetry",), problems)
        given = True
    elif isinstance(given, Substituted):
        given, _ = problems.convert(given, _SWITCH, ("telemetry",))
    elif not isinstance(given, bool):
        expected = ", ".join(_SWITCHES)
        problems.add(("telemetry",), f"expected true, false, or a table of {expected}")
    if given is not True:
        return NO_TELEMETRY
    return Telemetry(**switches) if switches else DEFAULT_TELEMETRY


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
    table: Mapping[str, Any], known: Mapping[str, Parameter], path: Keys, problems: Problems
) -> dict[str, Any]:
    """Return the settings of a table by the names of the options, each checked alone."""
    settings: dict[str, Any] = {}
    for key, value in table.items():
        option = known.get(key)
        if option is None:
            problems.add((*path, str(key)), misplaced(key) or unknown(key, sorted(known)))
            continue
        setting, is_converted = problems.convert(value, option.annotation, (*path, key))
        if is_converted:
            try:
                if option.name in POLICIES:
                    Policies(**{option.name: setting})
                else:
                    check_options({option.name: setting})
            except ValueError as error:
                problems.add((*path, key), str(error))
            else:
                settings[option.name] = setting
    return settings
