"""Compile an event type into a function that checks data and estimates their size.

One expression, generated as source text, decides for most events of a type: a loop over a table
takes four times as long, and every event is checked. What the expression does not know, the
interpreted check decides.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from zlib import crc32

from eventtracking_core.validation.schema import FieldSchema
from eventtracking_core.validation.values import SCALARS, TEXTS, estimated_size

__all__ = [
    "Check",
    "CheckSource",
    "InterpretedCheck",
    "compile_check",
    "compile_function",
    "generate_check",
]

Check = Callable[[Mapping[str, Any]], int]
"""Return the estimated JSON size in bytes, or -1 (or raise) if the slow path must decide."""

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (float, int),
    "boolean": (bool,),
    "null": (type(None),),
    "object": (dict,),
    "array": (list,),
}
_COMMON: Final = (str, int, bool, type(None))
"""Scalars, the likely ones of several first."""

FEW: Final = 2
_CONTAINERS: Final = frozenset({dict, list})
_ABSENT: Final = object()
_VALUE_BYTES: Final = 12

_CHECK: Final = """\
def check(data):
    try:
        {check.reads}
        if {check.condition}:
            return {check.size}
    except (KeyError, OverflowError):
        pass
    return interpreted(data)
"""


class CheckSource(NamedTuple):
    """Source text of the check that most data of a type pass.

    Attributes:
        reads: statements that read the fields of `data`; one raises if a field is absent.
        condition: an expression that is true if the data are of the type.
        size: an expression for the estimated size of such data.
        names: the globals that the expressions refer to.
    """

    reads: str
    condition: str
    size: str
    names: dict[str, Any]


def generate_check(schema: FieldSchema) -> CheckSource:
    """Return the source text of the check of a schema."""
    names: dict[str, Any] = {"kind": type, "length": len, "text": str}
    reads, conditions, sizes = [], [], [str(_base_size(schema))]
    if not schema.is_open:
        conditions.append(f"length(data) == {len(schema.fields)}")
    for number, (name, field) in enumerate(schema.fields.items()):
        value = f"value{number}"
        reads.append(f"{value} = data[{name!r}]")
        condition, size = _check_value(field, value, names)
        conditions.append(condition)
        if size:
            sizes.append(size)
    return CheckSource(
        "; ".join(reads) or "pass", " and ".join(conditions) or "True", " + ".join(sizes), names
    )


def compile_check(schema: FieldSchema) -> Check:
    """Return the check of a schema, and of the fields in it."""
    check = generate_check(schema)
    check.names["interpreted"] = InterpretedCheck(schema).check
    compiled: Check = compile_function("check", _CHECK.format(check=check), check.names, "a check")
    return compiled


def compile_function(function: str, source: str, names: dict[str, Any], title: str) -> Any:
    """Return a function from generated source text, which tracebacks and debuggers show.

    Args:
        function: its name in the source text.
        source: consists of names and numbers alone, and of texts as `repr` writes them.
        names: the function's globals.
        title: what it is for, part of the name that stands for a file's.
    """
    # Equal texts share an entry, so that what is compiled again takes no further memory.
    file_name = f"<eventtracking {title} {crc32(source.encode('utf-8', 'replace')):08x}>"
    linecache.cache[file_name] = len(source), None, source.splitlines(keepends=True), file_name
    exec(compile(source, file_name, "exec"), names)  # noqa: S102  as `dataclasses` does
    return names[function]


def _base_size(schema: FieldSchema) -> int:
    return sum(len(name) + _VALUE_BYTES for name in schema.fields)


def _check_value(schema: FieldSchema, value: str, names: dict[str, Any]) -> tuple[str, str]:
    """Return the condition that a value is of a field's type, and its size then."""
    allowed = _allowed(schema)
    is_text = f"kind({value}) is text"
    if schema.enum:
        enum = _bind(names, frozenset(schema.enum))
        return f"kind({value}) in {_bind(names, allowed)} and {value} in {enum}", ""
    if schema.types == {"string"}:
        return is_text, f"length({value})"
    if len(allowed & _CONTAINERS) == len(allowed) == 1:
        is_container = f"kind({value}) is {_bind(names, *allowed)}"
        size = f"{_bind(names, _check_contents(schema))}({value})"
        return f"{is_container} and (in_{value} := {size}) >= 0", f"in_{value}"
    allowed -= _CONTAINERS
    if str not in allowed:
        return _is_of(value, allowed, names), ""
    is_scalar = _is_of(value, allowed - {str}, names)
    return f"({is_text} or {is_scalar})", f"(length({value}) if {is_text} else 0)"


def _is_of(value: str, types: frozenset[type], names: dict[str, Any]) -> str:
    """Return the condition that a value is of one of some types, of which up to two are named.

    A float has to be finite: JSON has no others.
    """
    others = types - {float}
    if 0 < len(others) <= FEW:
        first = sorted(others, key=_COMMON.index)
        condition = " or ".join(f"kind({value}) is {_bind(names, kind)}" for kind in first)
    else:
        condition = f"kind({value}) in {_bind(names, others)}"
    if float in types:
        is_float = f"kind({value}) is {_bind(names, float)}"
        condition = f"({is_float} and {value} - {value} == 0.0) or {condition}"
    return f"({condition})"


def _allowed(schema: FieldSchema) -> frozenset[type]:
    """Return the types of values that a generated check knows."""
    if not schema.types:
        return SCALARS | {str}
    return frozenset(kind for name in schema.types for kind in _TYPES.get(name, ()))


def _bind(names: dict[str, Any], value: object) -> str:
    """Return the name that stands for a value in the function."""
    name = f"bound{len(names)}"
    names[name] = value
    return name


def _check_contents(schema: FieldSchema) -> Callable[[Any], int]:
    """Return a function that estimates the size of an object or an array; -1 as a `Check`."""
    if not schema.fields:
        return estimated_size
    check = compile_check(schema)

    def check_contents(value: Any) -> int:
        if type(value) is dict:
            return check(value)
        if type(value) is not list:
            return estimated_size(value)
        total = 0
        for item in value:
            size = check(item) if type(item) is dict else estimated_size(item)
            if size < 0:
                return -1
            total += size
        return total

    return check_contents


class InterpretedCheck:
    """The check that also knows absent fields, times, and values of several containers."""

    def __init__(self, schema: FieldSchema) -> None:
        self._is_open = schema.is_open
        self._base_size = _base_size(schema)
        self._fields = [
            (name, field, _allowed(field), _check_contents(field))
            for name, field in schema.fields.items()
        ]

    def check(self, data: Mapping[str, Any]) -> int:
        """Return the estimated size of data, or -1 if they are not of the schema."""
        total, count = self._base_size, 0
        for name, schema, allowed, check_contents in self._fields:
            value = data.get(name, _ABSENT)
            if value is _ABSENT:
                if schema.is_required:
                    return -1
                continue
            count += 1
            if schema.types and not (type(value) in allowed or _is_short_text(value, schema)):
                return -1
            if schema.enum and value not in schema.enum:
                return -1
            size = check_contents(value)
            if size < 0:
                return -1
            total += size
        return total if self._is_open or count == len(data) else -1


def _is_short_text(value: object, schema: FieldSchema) -> bool:
    return "string" in schema.types and type(value) in TEXTS
