"""The form of `event-tracking`'s settings: `{"ENGINE": path, "OPTIONS": {…}}`, as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eventtracking_core.errors import Problem

__all__ = ["ROUTER", "translate"]

ROUTER: Final = "router"

_TYPES: Final[Mapping[str, str]] = {
    "eventtracking.backends.async_routing.AsyncRoutingBackend": "async_router",
    "eventtracking.backends.logger.LoggerBackend": "logger",
    "eventtracking.backends.mongodb.MongoBackend": "mongo",
    "eventtracking.backends.routing.RoutingBackend": ROUTER,
    "eventtracking.backends.segment.SegmentBackend": "segment",
    "eventtracking.processors.regex_filter.RegexFilter": "regex_filter",
    "eventtracking.processors.whitelist.NameWhitelistProcessor": "name_allowlist",
}

_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {"name_allowlist": {"whitelist": "names"}}


def translate(
    node: Mapping[str, Any], path: str, problems: list[Problem]
) -> Mapping[str, Any] | None:
    """Return a node in our form, which it may be in already; None where it cannot be read."""
    if "ENGINE" not in node:
        return node
    engine, options = node["ENGINE"], node.get("OPTIONS") or {}
    problems.extend(
        Problem(f"{path}.{key}", "unknown key (expected one of: ENGINE, OPTIONS)")
        for key in node
        if key not in {"ENGINE", "OPTIONS"}
    )
    if not isinstance(engine, str) or not isinstance(options, Mapping):
        wrong = "OPTIONS: expected a table" if isinstance(engine, str) else "ENGINE: expected str"
        problems.append(Problem(path, wrong))
        return None
    if engine not in _TYPES and "." not in engine:
        problems.append(Problem(f"{path}.ENGINE", "expected a dotted path, to a class"))
        return None
    if "type" in options:
        problems.append(Problem(f"{path}.type", "unknown option (ENGINE says what the type is)"))
        return None
    if engine in _TYPES:
        type_name = _TYPES[engine]
    else:
        module, _, attribute = engine.rpartition(".")
        type_name = f"{module}:{attribute}"
    names = _OPTIONS.get(type_name, {})
    ours = {names.get(key, key): value for key, value in options.items()}
    return ours if type_name == ROUTER else {"type": type_name, **ours}
