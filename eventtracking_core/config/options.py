"""Options: converted and checked by their annotations, with every problem collected."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec

from eventtracking_core._text import dotted, printable
from eventtracking_core.config.source import Missing, Substituted
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
    "Keys",
    "Problems",
    "alternatives",
    "describe_hint",
    "kind_of",
    "unit_of",
]

Keys = tuple[str | int, ...]
"""The keys of tables and the indexes of lists that lead to a value of a configuration."""

_PARSERS: Final[Mapping[Unit, Callable[[str], float | None]]] = {
    BYTES: parse_size,
    SECONDS: parse_duration,
}
_WORDS: Final = {"array": "list", "object": "table", " | null": "", "Object": "Table"}
_JSON_WORD: Final = re.compile(r"\b(?:array|object|Object)\b| \| null\b")
"""Words of JSON in messages of msgspec, and those for the same in a configuration."""

_SHOWN: Final[Mapping[Unit, str]] = {
    BYTES: "size (bytes, or text such as 64 MiB)",
    SECONDS: "duration (seconds, or text such as 30s, 2h, 3d)",
    REGEX: "regular expression",
}


class Problems(list[Problem]):
    """Every problem, in the order of the configuration."""

    def add(self, path: Keys, message: str, place: str = "") -> None:
        """Add a problem.

        Args:
            path: the keys that lead to the value.
            message: what is wrong with it, and what to do.
            place: the part of the value that is wrong, such as `[0].name`; by default, all of it.
        """
        self.append(Problem(dotted(path) + place, printable(message)))

    def convert(self, value: object, annotation: Annotation, path: Keys) -> tuple[Any, bool]:
        """Return a value as its annotation wants it, and whether it could be converted."""
        try:
            return annotation.convert(value), True
        except _NotConvertibleError as error:
            for place, message in error.mistakes:
                self.add(path, message, place)
            return None, False

    def items(self, value: object, path: Keys) -> list[tuple[Keys, Any]]:
        """Return the items of a list, each with its path."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.add(path, f"expected a list, got {kind_of(value)}")
            return []
        return [((*path, number), item) for number, item in enumerate(value)]


class _NotConvertibleError(Exception):
    """A value is not what an annotation wants.

    Attributes:
        mistakes: the place in the value and a message for each; none for a variable that is not
            set, which is a problem already.
    """

    def __init__(self, mistakes: list[tuple[str, str]]) -> None:
        super().__init__()
        self.mistakes = mistakes


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
        has_bounds: whether there is anything that the types alone cannot say.
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
        below = self.container is dict and self.item is not None and self.item.has_bounds
        self.has_bounds: bool = self.is_numeric or bool(self.units) or below

    def convert(self, value: object) -> Any:
        """Return an option's value as the annotation wants it.

        Raises:
            _NotConvertibleError: the value is not what it wants.
        """
        if self.container is not dict and self.item and isinstance(value, list | tuple):
            return self._convert_items(self.item, value)
        substituted: list[str] = []
        try:
            plain = _plain(value, substituted)
            if self.has_bounds:
                plain = self.parse_text(plain)
            converted = msgspec.convert(plain, self.hint, strict=not substituted, dec_hook=_decode)
            if self.has_bounds:
                self.check(converted)
        except msgspec.ValidationError as error:
            mistake = self._mistake(error, value)
        except TypeError as error:
            mistake = "", f"the annotation {describe_hint(self.hint)} is not supported: {error}"
        except SystemError:  # msgspec 0.21, for an integer that is too large for a float
            mistake = "", "number out of range"
        except (ValueError, OverflowError) as error:
            mistake = "", str(error)
        else:
            return converted
        raise _NotConvertibleError([mistake])

    def _convert_items(self, item: Annotation, values: Sequence[object]) -> Any:
        converted: list[Any] = []
        mistakes: list[tuple[str, str]] = []
        for number, value in enumerate(values):
            try:
                converted.append(item.convert(value))
            except _NotConvertibleError as error:
                if not error.mistakes:
                    raise
                mistakes += [(f"[{number}]{place}", text) for place, text in error.mistakes]
        if mistakes:
            raise _NotConvertibleError(mistakes)
        return tuple(converted) if self.container is tuple else converted

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

    def _mistake(self, error: msgspec.ValidationError, value: object) -> tuple[str, str]:
        # msgspec appends where in the value it is, ` - at `$[0].name``, and quotes types in
        # backticks.
        text, _, place = str(error).partition(" - at `$")
        text = _JSON_WORD.sub(lambda word: _WORDS[word[0]], text.replace("`", ""))
        if not place and self.units:
            given = "str" if isinstance(value, str) else type(value).__name__
            text = f"expected {describe_hint(self.hint)}, got {given}"
        elif text.startswith("Invalid enum value"):  # it goes on with the value itself
            text = f"expected {describe_hint(self.hint)}"
        return place.rstrip("`"), text[:1].lower() + text[1:]


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


def describe_hint(hint: object) -> str:
    """Return an annotation as a reader would write it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is None or hint is NoneType:
        return "null"
    if origin is Annotated:
        unit = unit_of(hint)
        return describe_hint(arguments[0]) if unit is None else _SHOWN[unit]
    if origin is Literal:
        return "one of: " + ", ".join(map(str, arguments))
    if origin in {Union, UnionType}:
        return " or ".join(describe_hint(argument) for argument in arguments)
    if origin is not None:
        inner = ", ".join(
            "…" if argument is ... else describe_hint(argument) for argument in arguments
        )
        return f"{getattr(origin, '__name__', origin)}[{inner}]"
    return getattr(hint, "__name__", str(hint))


def _plain(value: Any, substituted: list[str]) -> Any:
    """Return a value with plain texts; add those to a list in which variables were replaced.

    Raises:
        _NotConvertibleError: a variable in it is not set.
    """
    if isinstance(value, dict):
        return {key: _plain(item, substituted) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, substituted) for item in value]
    if isinstance(value, Missing):
        raise _NotConvertibleError([])
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


def kind_of(value: object) -> str:
    """Return what a problem calls a value of the wrong kind."""
    return "table" if isinstance(value, dict) else type(value).__name__
