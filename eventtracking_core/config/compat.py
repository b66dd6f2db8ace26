"""The form of `event-tracking`'s settings: `{"ENGINE": path, "OPTIONS": {…}}`, as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from eventtracking_core.config.options import Keys, Problems

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

_NAMES: Final[Mapping[str, Mapping[str, str]]] = {"name_allowlist": {"whitelist": "names"}}

# What it does where an option is not given, as options of ours.
_DEFAULTS: Final[Mapping[str, Mapping[str, object]]] = {
    "regex_filter": {"filter_type": "allowlist", "regular_expressions": [], "match": "prefix"}
}

# Workers found a node by this name, at the root of the tree; here they find it by its path.
_WITHOUT_MEANING: Final = {"async_router": "backend_name"}


def translate(node: Mapping[str, Any], path: Keys, problems: Problems) -> Mapping[str, Any] | None:
    """Return a node with an `ENGINE` in our form; None where it cannot be read."""
    engine, options = node["ENGINE"], node.get("OPTIONS") or {}
    for key in node:
        if key not in {"ENGINE", "OPTIONS"}:
            problems.add((*path, str(key)), "unknown key (expected one of: ENGINE, OPTIONS)")
    if not isinstance(engine, str) or not isinstance(options, dict):
        wrong = "OPTIONS: expected a table" if isinstance(engine, str) else "ENGINE: expected str"
        problems.add(path, wrong)
        return None
    if engine not in _TYPES and "." not in engine:
        problems.add((*path, "ENGINE"), "expected a dotted path, to a class")
        return None
    if "type" in options:
        problems.add((*path, "type"), "unknown option (ENGINE says what the type is)")
        return None
    module, _, attribute = engine.rpartition(".")
    type_name = _TYPES.get(engine, f"{module}:{attribute}")
    if type_name == ROUTER:
        return _in_order(options)
    names = _NAMES.get(type_name, {})
    dropped = _WITHOUT_MEANING.get(type_name)
    defaults = _DEFAULTS.get(type_name, {})
    translated = {
        names.get(key, key): value
        for key, value in options.items()
        if key != dropped and not (value is None and defaults.get(key) == [])
    }
    return {"type": type_name, **defaults, **translated}


def _in_order(router: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a router whose backends are called in the order of their names, as they are there."""
    backends = router.get("backends")
    if not isinstance(backends, dict):
        return router
    return {**router, "backends": dict(sorted(backends.items(), key=lambda item: str(item[0])))}
