"""Find what is wrong with an event, field by field, after a quick check has failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from eventtracking_core.encoding import losses, normalize
from eventtracking_core.validation.schema import FieldSchema
from eventtracking_core.validation.values import json_type

__all__ = ["MISMATCHES", "Code", "Violation", "mismatches", "unencodable"]

Code = Literal[
    "unknown_field", "missing_field", "type_mismatch", "not_serializable", "unregistered"
]

MISMATCHES: Final = frozenset({"unknown_field", "missing_field", "type_mismatch"})
"""The codes of events that are not of their type."""


class Violation(NamedTuple):
    """One thing that is wrong with an event; it never contains a value of the event.

    Attributes:
        code: the kind of violation.
        field: the field's path; in the context it begins with `context.`.
        message: what is wrong with the field.
    """

    code: Code
    field: str
    message: str


def mismatches(
    schema: FieldSchema,
    values: Mapping[str, Any],
    prefix: str = "",
    paths: frozenset[str] | None = None,
) -> Iterator[Violation]:
    """Yield where values do not match a schema.

    Args:
        schema: of the data, the context or a field.
        values: by field name.
        prefix: of the paths in the violations.
        paths: dotted names of all fields, which may also be keys as they are.
    """
    paths = frozenset(schema.paths()) if paths is None else paths
    for name, field in schema.fields.items():
        if name in values:
            yield from _of_value(field, values[name], prefix, paths)
        elif field.is_required and not any(path in values for path in (field.path, *field.paths())):
            yield Violation("missing_field", prefix + field.path, "is missing")
    if not schema.is_open:
        for key in list(values):
            if key not in schema.fields and key not in paths:
                path = f"{schema.path}.{key}" if schema.path else str(key)
                yield Violation("unknown_field", prefix + path, "is not described")


def _of_value(
    schema: FieldSchema, value: Any, prefix: str, paths: frozenset[str]
) -> Iterator[Violation]:
    name = json_type(value)
    path = prefix + schema.path
    if schema.types and name is not None and not _fits(name, value, schema.types):
        expected = " or ".join(sorted(schema.types))
        yield Violation("type_mismatch", path, f"expected {expected}, got {name}")
        return
    if schema.enum and not _is_one_of(value, schema.enum):
        yield Violation("type_mismatch", path, "is none of the values it may have")
    if not schema.fields:
        return
    if name in {"array", "object"} and type(value) not in {dict, list, tuple}:
        value = normalize(value)
    for item in value if name == "array" else (value,):
        if isinstance(item, Mapping):
            yield from mismatches(schema, item, prefix, paths)


def _fits(name: str, value: Any, types: frozenset[str]) -> bool:
    if name == "integer":
        return not types.isdisjoint({"integer", "number"})
    return name in types or (name == "number" and "integer" in types and float(value).is_integer())


def _is_one_of(value: Any, enum: tuple[Any, ...]) -> bool:
    plain = normalize(value)
    return any(isinstance(plain, bool) is isinstance(one, bool) and plain == one for one in enum)


def unencodable(values: Mapping[str, Any], prefix: str = "") -> Iterator[Violation]:
    """Yield where values have no form in JSON; sinks get the names of their types."""
    for path, problem in losses(values):
        yield Violation("not_serializable", prefix + path, problem)
