"""The `telemetry` of a configuration: what it says, and what the environment says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from eventtracking_core.config.convert import convert
from eventtracking_core.config.source import Substituted
from eventtracking_core.errors import Problem
from eventtracking_core.tree import NO_TELEMETRY, Telemetry

__all__ = ["read"]

_KEY: Final = "telemetry"
_PREFIX: Final = "EVENTTRACKING_TELEMETRY_"


def read(tree: Mapping[str, Any], problems: list[Problem]) -> Telemetry:
    """Return what to tell of the framework: a truth value for all of it, or a table of switches.

    What is not said comes from the environment, as `EVENTTRACKING_TELEMETRY_SPANS`.

    Args:
        tree: the configuration's root.
        problems: what is wrong is added here.
    """
    given = tree.get(_KEY, True)
    if isinstance(given, Mapping):
        return Telemetry(**(_from_environment(problems) | _switches(given, problems)))
    is_on, found = convert(given, bool, _KEY)
    problems += [
        Problem(_KEY, f"expected true, false, or a table of {', '.join(Telemetry._fields)}")
        for _ in found
    ]
    return Telemetry(**_from_environment(problems)) if is_on else NO_TELEMETRY


def _switches(table: Mapping[str, Any], problems: list[Problem]) -> dict[str, bool]:
    switches = {}
    for key, value in table.items():
        at = f"{_KEY}.{key}"
        if key not in Telemetry._fields:
            expected = ", ".join(Telemetry._fields)
            problems.append(Problem(at, f"unknown option (expected one of: {expected})"))
            continue
        switches[key], found = convert(value, bool, at)
        problems += found
    return switches


def _from_environment(problems: list[Problem]) -> dict[str, bool]:
    switches = {}
    for name in Telemetry._fields:
        variable = _PREFIX + name.upper()
        if variable in os.environ:
            switches[name], found = convert(Substituted(os.environ[variable]), bool, variable)
            problems += found
    return switches
