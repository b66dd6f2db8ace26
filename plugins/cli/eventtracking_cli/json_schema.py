"""The JSON Schema of a configuration, for the components that are installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from eventtracking_core.config.compat import ROUTER
from eventtracking_core.config.component import is_composite
from eventtracking_core.config.options import alternatives, unit_of
from eventtracking_core.config.parameters import UnresolvableError, parameters
from eventtracking_core.config.settings import DELIVERY, POLICIES
from eventtracking_core.delivery import MODES
from eventtracking_core.plugins import ComponentKind
from eventtracking_core.registry.jsonschema import DIALECT
from eventtracking_core.settings import SHUTDOWN_TIMEOUT, Telemetry
from eventtracking_core.units import BYTES, SECONDS, Seconds

__all__ = ["json_schema"]

_PROCESSORS: Final = {"type": "array", "items": {"$ref": "#/$defs/processor"}}
_BACKENDS: Final = {"type": "object", "additionalProperties": {"$ref": "#/$defs/backend"}}
_DELIVERY: Final = {"anyOf": [{"enum": list(MODES)}, {"$ref": "#/$defs/delivery"}]}
_TELEMETRY: Final = {
    "description": "Metrics and spans of the framework itself, through OpenTelemetry.",
    "anyOf": [
        {"type": "boolean"},
        {
            "type": "object",
            "properties": {
                name: {"type": "boolean", "default": default}
                for name, default in Telemetry._field_defaults.items()
            },
            "additionalProperties": False,
        },
    ],
}
_ACCEPTS: Final = {
    "description": "Classes of personal data that its backends may get.",
    "type": "array",
    "items": {"type": "string"},
}
_OF_BACKENDS: Final = {"delivery": _DELIVERY, "processors": _PROCESSORS, "accepts": _ACCEPTS}
_ON_ERROR: Final = {"enum": ["continue", "drop"]}


def json_schema(
    components: Mapping[ComponentKind, Mapping[str, Callable[..., Any]]],
) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a configuration.

    Args:
        components: the factories that may be named, by kind and type name.
    """
    providers = [_node(name, factory) for name, factory in components["context provider"].items()]
    processors = [
        _node(name, factory, {"on_error": _ON_ERROR})
        for name, factory in components["processor"].items()
    ]
    backends = [
        _node(name, factory, _OF_BACKENDS) for name, factory in components["backend"].items()
    ]
    stores = [_node(name, factory) for name, factory in components["metadata store"].items()]
    router = {
        "type": "object",
        "properties": {
            "type": {"const": ROUTER},
            "processors": _PROCESSORS,
            "backends": _BACKENDS,
            "delivery": _DELIVERY,
            "accepts": _ACCEPTS,
        },
        "additionalProperties": False,
        "anyOf": [{"required": ["processors"]}, {"required": ["backends"]}],
    }
    return {
        "$schema": DIALECT,
        "title": "eventtracking configuration",
        "type": "object",
        "properties": {
            "context": {"type": "array", "items": {"$ref": "#/$defs/context"}},
            "processors": _PROCESSORS,
            "backends": _BACKENDS,
            "metadata": {"$ref": "#/$defs/metadata"},
            "disable": {"type": "array", "items": {"type": "string"}},
            "shutdown_timeout": {
                "description": "Seconds that shutting down may take.",
                **_option(Seconds, SHUTDOWN_TIMEOUT),
            },
            "telemetry": _TELEMETRY,
            **{option.name: _option(option.hint, option.default) for option in POLICIES.values()},
        },
        "additionalProperties": False,
        "$defs": {
            "delivery": {
                "type": "object",
                "properties": {
                    option.name: _option(option.hint, option.default)
                    for option in DELIVERY.values()
                },
                "additionalProperties": False,
            },
            "context": {"anyOf": [*_names(components["context provider"]), *providers]},
            "processor": {"anyOf": [*_names(components["processor"]), *processors]},
            "backend": {"anyOf": [*_names(components["backend"]), *backends, router]},
            "metadata": {"anyOf": [*_names(components["metadata store"]), *stores]},
        },
    }


def _names(factories: Mapping[str, object]) -> list[dict[str, Any]]:
    return [{"enum": sorted(factories)}]


def _node(
    name: str, factory: Callable[..., Any], reserved: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    properties: dict[str, Any] = {"type": {"const": name}, **(reserved or {})}
    required = ["type"]
    try:
        known, open_ended = parameters(factory)
    except UnresolvableError:
        known, open_ended = {}, True
    if is_composite(factory):
        properties |= {"processors": _PROCESSORS, "backends": _BACKENDS}
    for option in known.values():
        if option.name in {"processors", "backends"}:
            properties[option.name] = _PROCESSORS if option.name == "processors" else _BACKENDS
            continue
        properties[option.name] = _option(option.hint, option.default)
        if option.required:
            required.append(option.name)
    summary = (factory.__doc__ or "").strip().partition("\n")[0]
    return {
        "title": name,
        "description": summary,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": open_ended,
    }


def _option(hint: object, default: object) -> dict[str, Any]:
    units = {unit_of(one) for one in alternatives(hint)}
    try:
        schema = msgspec.json.schema(hint)
    except (TypeError, ValueError):  # a type that is made of text, such as a path
        schema = {"type": "string"}
    if "$ref" in schema:
        schema = {}
    if units & {BYTES, SECONDS}:
        text = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[A-Za-z]+\s*$"}
        schema = {"anyOf": [*schema.pop("anyOf", [schema]), text]}
    if isinstance(default, str | int | float | bool):
        schema["default"] = default
    return schema
