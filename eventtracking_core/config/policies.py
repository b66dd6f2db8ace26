"""The policies at the root of a configuration: `unregistered`, `invalid`, `max_event_size`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from eventtracking_core.config.convert import convert, parameters
from eventtracking_core.config.source import Substituted
from eventtracking_core.errors import Problem
from eventtracking_core.policies import DEFAULT, Policies

__all__ = ["POLICIES", "read"]

POLICIES: Final = parameters(Policies)[0]
MAX_EVENT_SIZE: Final = "EVENTTRACKING_MAX_EVENT_SIZE"


def read(tree: Mapping[str, Any], problems: list[Problem]) -> Policies:
    """Return the policies that a configuration sets; the environment may set the size."""
    given = {key: (key, tree[key]) for key in POLICIES if key in tree}
    if MAX_EVENT_SIZE in os.environ and "max_event_size" not in given:
        given["max_event_size"] = MAX_EVENT_SIZE, Substituted(os.environ[MAX_EVENT_SIZE])
    settings = {}
    for key, (path, value) in given.items():
        settings[key], found = convert(value, POLICIES[key].hint, path)
        problems += found
    try:
        return Policies(**settings) if settings and not problems else DEFAULT
    except ValueError as error:
        problems.append(Problem("max_event_size", str(error)))
        return DEFAULT
