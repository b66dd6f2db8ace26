"""Options: a constructor's keyword arguments, converted and checked by their annotations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from eventtracking_core.config.source import Substituted
from eventtracking_core.errors import Problem
from eventtracking_core.options import BYTES, SIZE_UNITS

__all__ = ["Parameter", "UnresolvableError", "convert", "parameters", "shown"]

_SIZE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")


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
    try:
        value = _sizes(value, hint)
        return msgspec.convert(
            _plain(value), hint, strict=not _substituted(value), dec_hook=_made
        ), []
    except msgspec.ValidationError as error:
        return None, [_problem(error, hint, path)]
    except (TypeError, ValueError, re.error) as error:
        if isinstance(error, TypeError):
            return None, [Problem(path, f"the annotation {shown(hint)} is not supported: {error}")]
        return None, [Problem(path, str(error))]


def shown(hint: object) -> str:
    """Return an annotation as a reader would write it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is None or hint is NoneType:
        return "null"
    if origin is Annotated:
        return "size in bytes" if BYTES in hint.__metadata__ else shown(arguments[0])  # type: ignore[attr-defined]
    if origin is Literal:
        return "one of: " + ", ".join(map(str, arguments))
    if origin in {Union, UnionType}:
        return " or ".join(shown(argument) for argument in arguments)
    if origin is not None:
        inner = ", ".join("…" if argument is ... else shown(argument) for argument in arguments)
        return f"{getattr(origin, '__name__', origin)}[{inner}]"
    return getattr(hint, "__name__", str(hint))


def _problem(error: msgspec.ValidationError, hint: object, path: str) -> Problem:
    # msgspec appends where in the value it is, ` - at `$[0].name``, and quotes types in backticks.
    text, _, place = str(error).partition(" - at `$")
    text = text.replace("`", "")
    if text.startswith("Invalid enum value"):  # it goes on with the value itself
        text = f"expected {shown(hint)}"
    return Problem(f"{path}{place.rstrip('`')}", text[:1].lower() + text[1:])


def _substituted(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_substituted, value.values()))
    if isinstance(value, list):
        return any(map(_substituted, value))
    return isinstance(value, Substituted)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _sizes(value: object, hint: object) -> object:
    """Return the number of bytes that a text such as `64 MiB` says, where a size is wanted."""
    if get_origin(hint) in {Union, UnionType}:
        for argument in get_args(hint):
            value = _sizes(value, argument)
        return value
    if not isinstance(value, str) or get_origin(hint) is not Annotated:
        return value
    match = _SIZE.fullmatch(value)
    if BYTES not in hint.__metadata__ or match is None:  # type: ignore[attr-defined]
        return value
    unit = SIZE_UNITS.get(match[2].upper())
    if unit is None:
        raise ValueError("unknown unit of size (expected one of: B, KB, MB, GB, KiB, MiB, GiB)")
    return int(float(match[1]) * unit)


def _made(kind: type, value: object) -> object:
    """Make what msgspec does not know: paths and compiled patterns, of text."""
    kind = get_origin(kind) or kind
    if isinstance(value, kind):
        return value
    if isinstance(value, str) and issubclass(kind, PurePath):
        return Path(value)
    if isinstance(value, str) and kind is re.Pattern:
        return re.compile(value)
    raise msgspec.ValidationError(f"Expected {kind.__name__}, got {type(value).__name__}")
