"""Options: a constructor's keyword arguments, converted and checked by their annotations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from math import isfinite
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from eventtracking_core.config.source import Substituted
from eventtracking_core.errors import Problem
from eventtracking_core.units import (
    BYTES,
    MAX_BYTES,
    MAX_SECONDS,
    REGEX,
    SECONDS,
    Unit,
    compile_pattern,
    parse_duration,
    parse_size,
)

__all__ = [
    "Annotation",
    "Parameter",
    "UnresolvableError",
    "alternatives",
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

    def __init__(self, name: str, hint: object, default: object) -> None:
        self.name = name
        self.hint = hint
        self.required = default is inspect.Parameter.empty
        self.default = None if self.required else default

    @cached_property
    def annotation(self) -> Annotation:
        """The annotation, taken apart when a value is first converted."""
        return Annotation(self.hint)


def parameters(factory: Callable[..., Any]) -> tuple[Mapping[str, Parameter], bool]:
    """Return the options of a component, and whether it takes others besides.

    Raises:
        UnresolvableError: an annotation cannot be resolved; the message says which.
    """
    return _of_class(factory) if isinstance(factory, type) else _parameters(factory)


def _parameters(factory: Callable[..., Any]) -> tuple[Mapping[str, Parameter], bool]:
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


_of_class: Final = lru_cache(_parameters)
"""Looking at a signature takes a millisecond, and a class has the same one each time."""


class Annotation:
    """An option's annotation, taken apart.

    Args:
        hint: the annotation.

    Attributes:
        units: those of its alternatives.
        choices: the values that its literals name.
        is_numeric: whether it takes a number.
        container: the type of list, tuple or dict that it takes, if that is all it takes.
        item: the annotation of what the container holds.
    """

    def __init__(self, hint: object) -> None:
        members = alternatives(hint)
        self.hint = hint
        self.units = {unit for unit in map(unit_of, members) if unit is not None}
        self.choices = [
            each for one in members if get_origin(one) is Literal for each in get_args(one)
        ]
        self.is_numeric = bool(self.units) or int in members or float in members
        self.container, self.item = _container([one for one in members if one is not NoneType])

    def convert(self, value: object, path: str) -> tuple[Any, list[Problem]]:
        """Return an option's value as the annotation wants it, or what is wrong with it."""
        if self.container is not dict and self.item and isinstance(value, list | tuple):
            pairs = [self.item.convert(each, f"{path}[{n}]") for n, each in enumerate(value)]
            converted = [each for each, _ in pairs]
            problems = [problem for _, found in pairs for problem in found]
            return tuple(converted) if self.container is tuple else converted, problems
        try:
            substituted: list[str] = []
            plain = self.parse_text(_plain(value, substituted))
            strict = not substituted
            converted = msgspec.convert(plain, self.hint, strict=strict, dec_hook=_decode)
            self.check(converted)
        except msgspec.ValidationError as error:
            return None, [self._problem(error, value, path)]
        except TypeError as error:
            text = f"the annotation {shown(self.hint)} is not supported: {error}"
            return None, [Problem(path, text)]
        except SystemError:  # msgspec 0.21, for an integer that is too large for a float
            return None, [Problem(path, "number out of range")]
        except (ValueError, OverflowError) as error:
            return None, [Problem(path, str(error))]
        return converted, []

    def parse_text(self, value: Any) -> Any:
        """Return the number that a text such as `64 MiB` or `2h` means, if one is wanted."""
        if isinstance(value, dict):
            item = self.item if self.container is dict else None
            return {key: item.parse_text(each) for key, each in value.items()} if item else value
        if isinstance(value, str) and value not in self.choices:
            for unit in self.units & _PARSERS.keys():
                number = _PARSERS[unit](value)
                if number is not None:
                    return number
        return value

    def check(self, value: object) -> None:
        """Check what the types cannot say: numbers in their bounds, and patterns that compile.

        Raises:
            ValueError: a value is not allowed; the message says why.
        """
        if isinstance(value, dict):
            if self.container is dict and self.item:
                for each in value.values():
                    self.item.check(each)
        elif isinstance(value, float | int) and self.is_numeric:
            _check_number(value, self.units)
        elif isinstance(value, str) and REGEX in self.units:
            compile_pattern(value)

    def _problem(self, error: msgspec.ValidationError, value: object, path: str) -> Problem:
        # msgspec appends where in the value it is, ` - at `$[0].name``, and quotes types in
        # backticks.
        text, _, place = str(error).partition(" - at `$")
        text = text.replace("`", "")
        if not place and self.units:
            given = "str" if isinstance(value, str) else type(value).__name__
            text = f"expected {shown(self.hint)}, got {given}"
        elif text.startswith("Invalid enum value"):  # it goes on with the value itself
            text = f"expected {shown(self.hint)}"
        return Problem(f"{path}{place.rstrip('`')}", text[:1].lower() + text[1:])


def _container(members: list[object]) -> tuple[type | None, Annotation | None]:
    """Return the container that an annotation names, and the annotation of its items.

    Args:
        members: the alternatives of the annotation, without None.
    """
    origin = get_origin(members[0]) if len(members) == 1 else None
    arguments = get_args(members[0]) if origin else ()
    if origin is tuple and arguments[1:] == (...,):
        return tuple, Annotation(arguments[0])
    if origin in {list, dict, Sequence} and arguments:
        return dict if origin is dict else list, Annotation(arguments[-1])
    return None, None


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


def unit_of(hint: object) -> Unit | None:
    """Return the unit of an annotation that has one."""
    metadata = getattr(hint, "__metadata__", ()) if get_origin(hint) is Annotated else ()
    units = [one for one in metadata if isinstance(one, Unit)]
    return units[0] if units else None


def _check_number(number: float, units: set[Unit]) -> None:
    if isinstance(number, int) and abs(number) > MAX_BYTES:
        raise ValueError("is too large a number")
    if not isfinite(number):
        raise ValueError("must be a finite number")
    if number < 0 and units & {BYTES, SECONDS}:
        raise ValueError("must not be negative")
    if number > MAX_SECONDS and SECONDS in units:
        raise ValueError("must not be more than a hundred years")


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
