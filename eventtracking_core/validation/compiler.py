"""A type compiled into a function that tells whether data are of it, and about how large.

What most events of a type look like is told by one expression, made of source text as `dataclasses`
makes its own: a loop over a table takes four times as long, and this is on the way of every event.
What the expression does not know is looked at by a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from eventtracking_core.validation.schema import FieldSchema
from eventtracking_core.validation.values import SCALARS, TEXTS, estimated_size

__all__ = ["Check", "CheckSource", "InterpretedCheck", "compile_check", "generate_check"]

Check = Callable[[Mapping[str, Any]], int]
"""Returns about how many bytes the data take in JSON; -1, or raises, where they need a look."""

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (float, int),
    "boolean": (bool,),
    "null": (type(None),),
    "object": (dict,),
    "array": (list,),
}
_COMMON: Final = (str, float, int, bool, type(None))
"""Scalars, the likely ones of several first."""

FEW: Final = 2
_CONTAINERS: Final = frozenset({dict, list})
_ABSENT: Final = object()
_VALUE_BYTES: Final = 12


class CheckSource(NamedTuple):
    """Source text that tells what most data of a shape look like.

    Attributes:
        reads: statements that read the fields of `data`; one raises where a field is absent.
        condition: an expression that is true where all is as it should be.
        size: an expression for the bytes that the data take then.
        names: what the expressions refer to: the function's globals.
    """

    reads: str
    condition: str
    size: str
    names: dict[str, Any]


def generate_check(shape: FieldSchema, **names: object) -> CheckSource:
    """Return the source text of a shape.

    Args:
        shape: of the data.
        names: what the function that is made of it refers to besides.
    """
    bound: dict[str, Any] = {"kind": type, "length": len, "text": str, **names}
    reads, conditions, sizes = [], [], [str(_base(shape))]
    if not shape.is_open:
        conditions.append(f"length(data) == {len(shape.fields)}")
    for number, (name, inner) in enumerate(shape.fields.items()):
        value = f"value{number}"
        reads.append(f"{value} = data[{name!r}]")
        condition, size = _of_value(inner, value, bound)
        conditions.append(condition)
        if size:
            sizes.append(size)
    return CheckSource(
        "; ".join(reads) or "pass", " and ".join(conditions) or "True", " + ".join(sizes), bound
    )


def compile_check(shape: FieldSchema) -> Check:
    """Return the check of a shape, and of what lies in it."""
    source = generate_check(shape, thorough=InterpretedCheck(shape).check)
    text = f"""
def check(data):
    try:
        {source.reads}
    except KeyError:
        return thorough(data)
    return {source.size} if {source.condition} else thorough(data)
"""
    exec(text, source.names)  # noqa: S102  of names and numbers alone, each as `repr` writes it
    check: Check = source.names["check"]
    return check


def _base(shape: FieldSchema) -> int:
    return sum(len(name) + _VALUE_BYTES for name in shape.fields)


def _of_value(shape: FieldSchema, value: str, names: dict[str, Any]) -> tuple[str, str]:
    """Return a condition under which a value is as it should be, and its size then."""
    allowed = _allowed(shape)
    is_text = f"kind({value}) is text"
    if shape.enum:
        enum = _bound(names, frozenset(shape.enum))
        return f"kind({value}) in {_bound(names, allowed)} and {value} in {enum}", ""
    if shape.types == {"string"}:
        return is_text, f"length({value})"
    if len(allowed & _CONTAINERS) == len(allowed) == 1:
        is_it = f"kind({value}) is {_bound(names, *allowed)}"
        contents = f"{_bound(names, _contents(shape))}({value})"
        return f"{is_it} and (in_{value} := {contents}) >= 0", f"in_{value}"
    allowed -= _CONTAINERS
    if str not in allowed:
        return _is_of(value, allowed, names), ""
    is_scalar = _is_of(value, allowed - {str}, names)
    return f"({is_text} or {is_scalar})", f"(length({value}) if {is_text} else 0)"


def _is_of(value: str, types: frozenset[type], names: dict[str, Any]) -> str:
    """Return the condition that a value is of one of some types: up to two are named.

    A float has to be finite: JSON has no others.
    """
    others = types - {float}
    if 0 < len(others) <= FEW:
        first = sorted(others, key=_COMMON.index)
        condition = " or ".join(f"kind({value}) is {_bound(names, kind)}" for kind in first)
    else:
        condition = f"kind({value}) in {_bound(names, others)}"
    if float in types:
        is_float = f"kind({value}) is {_bound(names, float)}"
        condition = f"({is_float} and {value} - {value} == 0) or {condition}"
    return f"({condition})"


def _allowed(shape: FieldSchema) -> frozenset[type]:
    """Return the types whose values a glance knows."""
    if not shape.types:
        return SCALARS | {str}
    return frozenset(kind for name in shape.types for kind in _TYPES.get(name, ()))


def _bound(names: dict[str, Any], value: object) -> str:
    """Give a value a name in the function."""
    name = f"bound{len(names)}"
    names[name] = value
    return name


def _contents(shape: FieldSchema) -> Callable[[Any], int]:
    """Return what tells the size of an object or an array; -1 where it needs a closer look."""
    if not shape.fields:
        return estimated_size
    check = compile_check(shape)

    def contents(value: Any) -> int:
        if type(value) is dict:
            return check(value)
        if type(value) is not list:
            return estimated_size(value)
        total = 0
        for item in value:
            more = check(item) if type(item) is dict else estimated_size(item)
            if more < 0:
                return -1
            total += more
        return total

    return contents


class InterpretedCheck:
    """The same check, of what one expression does not know: absent fields, times, any type."""

    def __init__(self, shape: FieldSchema) -> None:
        self._is_open = shape.is_open
        self._base = _base(shape)
        self._fields = [
            (name, inner, _allowed(inner), _contents(inner)) for name, inner in shape.fields.items()
        ]

    def check(self, data: Mapping[str, Any]) -> int:
        """Return about how many bytes data take; -1 where they need a closer look."""
        size, count = self._base, 0
        for name, shape, allowed, contents in self._fields:
            value = data.get(name, _ABSENT)
            if value is _ABSENT:
                if shape.is_required:
                    return -1
                continue
            count += 1
            if shape.types and not (type(value) in allowed or _is_short_text(value, shape)):
                return -1
            if shape.enum and value not in shape.enum:
                return -1
            more = contents(value)
            if more < 0:
                return -1
            size += more
        return size if self._is_open or count == len(data) else -1


def _is_short_text(value: object, shape: FieldSchema) -> bool:
    return "string" in shape.types and type(value) in TEXTS
