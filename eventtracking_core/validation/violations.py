"""What is wrong with an event, told field by field: the closer look, where a quick one failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from eventtracking_core.encoding import normalize
from eventtracking_core.registry.record import EventType
from eventtracking_core.validation.schema import FieldSchema, context_schema, data_schema
from eventtracking_core.validation.values import json_type, unserializable

__all__ = ["MISMATCHES", "Code", "Violation", "mismatches", "unencodable", "violations"]

Code = Literal["unknown_field", "missing_field", "type_mismatch", "not_serializable"]

MISMATCHES: Final = frozenset({"unknown_field", "missing_field", "type_mismatch"})
"""What says that an event is not of its type."""

MAX_VIOLATIONS: Final = 100


class Violation(NamedTuple):
    """One thing that is wrong with an event; never a value of it.

    Attributes:
        code: of which kind it is.
        field: the field's path; below the context it begins with `context.`.
        message: what is wrong with it.
    """

    code: Code
    field: str
    message: str


def violations(
    record: EventType, data: Mapping[str, Any], context: Mapping[str, Any] | None = None
) -> list[Violation]:
    """Return what is wrong with an event of a type, at most a hundred things.

    Args:
        record: the type.
        data: of the event.
        context: of the event; not looked at, if not given.
    """
    found = [*mismatches(data_schema(record), data), *unencodable(data)]
    if context is not None:
        found += mismatches(context_schema(record), context, "context.")
    return found[:MAX_VIOLATIONS]


def mismatches(
    shape: FieldSchema,
    values: Mapping[str, Any],
    prefix: str = "",
    known: frozenset[str] | None = None,
) -> Iterator[Violation]:
    """Yield where values are not of a shape.

    Args:
        shape: of the whole, or of what lies in a field.
        values: by field name.
        prefix: of the paths that are told.
        known: dotted names of all fields, which may also be keys as they are.
    """
    known = frozenset(shape.paths()) if known is None else known
    for name, inner in shape.fields.items():
        if name in values:
            yield from _of_value(inner, values[name], prefix, known)
        elif inner.is_required and not any(path in values for path in (inner.path, *inner.paths())):
            yield Violation("missing_field", prefix + inner.path, "is missing")
    if not shape.is_open:
        for key in list(values):
            if key not in shape.fields and key not in known:
                field = f"{shape.path}.{key}" if shape.path else str(key)
                yield Violation("unknown_field", prefix + field, "is not described")


def _of_value(
    shape: FieldSchema, value: Any, prefix: str, known: frozenset[str]
) -> Iterator[Violation]:
    name = json_type(value)
    field = prefix + shape.path
    if shape.types and name is not None and not _fits(name, value, shape.types):
        expected = " or ".join(sorted(shape.types))
        yield Violation("type_mismatch", field, f"expected {expected}, got {name}")
        return
    if shape.enum and not _is_one_of(value, shape.enum):
        yield Violation("type_mismatch", field, "is none of the values it may have")
    if not shape.fields:
        return
    if name in {"array", "object"} and type(value) not in {dict, list, tuple}:
        value = normalize(value)
    for item in value if name == "array" else (value,):
        if isinstance(item, Mapping):
            yield from mismatches(shape, item, prefix, known)


def _fits(name: str, value: Any, types: frozenset[str]) -> bool:
    if name == "integer":
        return not types.isdisjoint({"integer", "number"})
    return name in types or (name == "number" and "integer" in types and float(value).is_integer())


def _is_one_of(value: Any, enum: tuple[Any, ...]) -> bool:
    plain = normalize(value)
    return any(isinstance(plain, bool) is isinstance(one, bool) and plain == one for one in enum)


def unencodable(values: Mapping[str, Any], prefix: str = "") -> Iterator[Violation]:
    """Yield where values have no form in JSON; a sink gets the names of their types."""
    for path, problem in unserializable(values):
        yield Violation("not_serializable", prefix + path, problem)
