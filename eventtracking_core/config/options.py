"""Options: a constructor's keyword arguments, converted and checked by their annotations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isfinite
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from eventtracking_core.components import (
    BYTES,
    MAX_BYTES,
    MAX_SECONDS,
    REGEX,
    SECONDS,
    Unit,
    parse_duration,
    parse_size,
)
from eventtracking_core.config.source import Substituted
from eventtracking_core.errors import Problem

__all__ = [
    "Parameter",
    "UnresolvableError",
    "alternatives",
    "convert",
    "parameters",
    "shown",
    "unit_of",
]

_PARSERS: Final[Mapping[Unit, Callable[[str], float | None]]] = {
    BYTES: parse_size,
    SECONDS: parse_duration,
}
_SHOWN: Final[Mapping[Unit, str]] = {
    BYTES: "size (bytes, or text such as 64 MiB)",
    SECONDS: "duration (seconds, or text such as 30s, 2h, 3d)",
    REGEX: "regular expression",
}


class UnresolvableError(Exception):
    """A component's annotations name something that is not there at run time."""


class Parameter:
    """One option of a component."""

    __slots__ = ("default", "hint", "name", "required")

    def __init__(self, name: str, hint: object, default: object) -> None:
        self.name = name
        self.hint = hint
        self.required = default is inspect.Parameter.empty
        self.default = None if self.required else default


def parameters(factory: Callable[..., Any]) -> tuple[dict[str, Parameter], bool]:
    """Return the options of a component, and whether it takes others besides.

    Raises:
        UnresolvableError: an annotation cannot be resolved; the message says which.
    """
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):
        return {}, True
    made = factory.func if isinstance(factory, partial) else factory
    hinted = getattr(made, "__init__", made) if isinstance(made, type) else made
    try:
        hints = get_type_hints(hinted, include_extras=True)
    except Exception as error:
        text = f"its annotations cannot be resolved at run time: {type(error).__name__}: {error}"
        raise UnresolvableError(text) from error
    named = {
        parameter.name: Parameter(parameter.name, hints.get(parameter.name, Any), parameter.default)
        for parameter in signature.parameters.values()
        if parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}
    }
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    return named, inspect.Parameter.VAR_KEYWORD in kinds


def convert(value: object, hint: object, path: str) -> tuple[Any, list[Problem]]:
    """Return an option's value as its annotation wants it, or what is wrong with it."""
    members = alternatives(hint)
    item = _element(members)
    if item is not None and isinstance(value, list | tuple):
        pairs = [convert(each, item, f"{path}[{index}]") for index, each in enumerate(value)]
        converted = [each for each, _ in pairs]
        problems = [problem for _, found in pairs for problem in found]
        return tuple(converted) if _item(members, tuple) else converted, problems
    try:
        substituted: list[str] = []
        plain = _from_text(_plain(value, substituted), members)
        converted = msgspec.convert(plain, hint, strict=not substituted, dec_hook=_decode)
        _check(converted, members)
    except msgspec.ValidationError as error:
        return None, [_problem(error, value, hint, path)]
    except TypeError as error:
        return None, [Problem(path, f"the annotation {shown(hint)} is not supported: {error}")]
    except SystemError:  # msgspec 0.21, for an integer that is too large for a float
        return None, [Problem(path, "number out of range")]
    except (ValueError, OverflowError) as error:
        return None, [Problem(path, str(error))]
    return converted, []


def shown(hint: object) -> str:
    """Return an annotation as a reader would write it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is None or hint is NoneType:
        return "null"
    if origin is Annotated:
        unit = unit_of(hint)
        return shown(arguments[0]) if unit is None else _SHOWN[unit]
    if origin is Literal:
        return "one of: " + ", ".join(map(str, arguments))
    if origin in {Union, UnionType}:
        return " or ".join(shown(argument) for argument in arguments)
    if origin is not None:
        inner = ", ".join("…" if argument is ... else shown(argument) for argument in arguments)
        return f"{getattr(origin, '__name__', origin)}[{inner}]"
    return getattr(hint, "__name__", str(hint))


def _problem(error: msgspec.ValidationError, value: object, hint: object, path: str) -> Problem:
    # msgspec appends where in the value it is, ` - at `$[0].name``, and quotes types in backticks.
    text, _, place = str(error).partition(" - at `$")
    text = text.replace("`", "")
    if not place and any(map(unit_of, alternatives(hint))):
        given = "str" if isinstance(value, str) else type(value).__name__
        text = f"expected {shown(hint)}, got {given}"
    elif text.startswith("Invalid enum value"):  # it goes on with the value itself
        text = f"expected {shown(hint)}"
    return Problem(f"{path}{place.rstrip('`')}", text[:1].lower() + text[1:])


def _plain(value: Any, substituted: list[str]) -> Any:
    """Return a value with plain texts; add those to a list in which variables were replaced."""
    if isinstance(value, dict):
        return {key: _plain(item, substituted) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, substituted) for item in value]
    if isinstance(value, Substituted):
        substituted.append(value)
    return str(value) if isinstance(value, str) else value


def alternatives(hint: object) -> tuple[object, ...]:
    """Return the members of a union, or the one annotation."""
    return get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)


def _element(members: tuple[object, ...]) -> object:
    """Return the annotation of what a list or another sequence of any length holds; else None."""
    return _item(members, list) or _item(members, Sequence) or _item(members, tuple)


def _item(members: tuple[object, ...], container: type) -> object:
    """Return the annotation of what a container holds, which may be optional; else None."""
    others = [one for one in members if one is not NoneType]
    if len(others) != 1 or get_origin(others[0]) is not container:
        return None
    arguments = get_args(others[0])
    if container is tuple:
        return arguments[0] if arguments[1:] == (...,) else None
    return arguments[-1]


def unit_of(hint: object) -> Unit | None:
    """Return the unit of an annotation that has one."""
    metadata = getattr(hint, "__metadata__", ()) if get_origin(hint) is Annotated else ()
    units = [one for one in metadata if isinstance(one, Unit)]
    return units[0] if units else None


def _from_text(value: object, members: tuple[object, ...]) -> object:
    """Return the number that a text such as `64 MiB` or `2h` stands for, where one is wanted."""
    if isinstance(value, dict):
        item = _item(members, dict)
        inner = alternatives(item)
        return {key: _from_text(each, inner) for key, each in value.items()} if item else value
    if not isinstance(value, str):
        return value
    if any(get_origin(one) is Literal and value in get_args(one) for one in members):
        return value
    for alternative in members:
        unit = unit_of(alternative)
        number = None if unit is None or unit not in _PARSERS else _PARSERS[unit](value)
        if number is not None:
            return number
    return value


def _check(value: object, members: tuple[object, ...]) -> None:
    """Check what the types cannot say: numbers in their bounds, and patterns that compile.

    Raises:
        ValueError: a value is not allowed; the message says why.
    """
    if isinstance(value, dict):
        inner = alternatives(_item(members, dict))
        for each in value.values():
            _check(each, inner)
        return
    units = {unit_of(one) for one in members}
    is_numeric = units != {None} or int in members or float in members
    if isinstance(value, float | int) and is_numeric:
        _check_number(value, units)
    elif isinstance(value, str) and REGEX in units:
        compile_pattern(value)


def _check_number(number: float, units: set[Unit | None]) -> None:
    if isinstance(number, int) and abs(number) > MAX_BYTES:
        raise ValueError("is too large a number")
    if not isfinite(number):
        raise ValueError("must be a finite number")
    if number < 0 and units & {BYTES, SECONDS}:
        raise ValueError("must not be negative")
    if number > MAX_SECONDS and SECONDS in units:
        raise ValueError("must not be more than a hundred years")


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return a compiled regular expression.

    Raises:
        ValueError: it does not compile; the message has no part of it.
    """
    try:
        return re.compile(pattern)
    except re.error as error:  # what it says besides may quote the pattern
        at = "" if error.pos is None else f", at character {error.pos}"
        raise ValueError(f"does not compile{at}") from error
    except (OverflowError, RecursionError, Warning) as error:
        raise ValueError("does not compile") from error


def _decode(kind: type, value: object) -> object:
    """Make what msgspec does not know: paths and compiled patterns, of text."""
    kind = get_origin(kind) or kind
    if isinstance(value, kind):
        return value
    if isinstance(value, str) and issubclass(kind, PurePath):
        return Path(value)
    if isinstance(value, str) and kind is re.Pattern:
        return compile_pattern(value)
    raise msgspec.ValidationError(f"Expected {kind.__name__}, got {type(value).__name__}")
