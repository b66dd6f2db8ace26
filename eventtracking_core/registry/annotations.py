"""From annotations to fields: what a class says of its attributes, in the words of JSON Schema."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import PurePath
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from uuid import UUID

from eventtracking_core.encoding import field_names
from eventtracking_core.registry.record import FieldDoc

__all__ = ["PII", "Doc", "fields_of_class", "json_type_of_class"]

MAX_DEPTH: Final = 16
_EMPTY: Final = dataclasses.MISSING


class Doc:
    """What a field means: `Annotated[str, Doc("A unique problem identifier")]`."""

    __slots__ = ("documentation",)

    def __init__(self, documentation: str, /) -> None:
        self.documentation = documentation


class PII:
    """The class of personal data that a field holds: `Annotated[str, PII("email")]`."""

    __slots__ = ("kind",)

    def __init__(self, kind: str, /) -> None:
        self.kind = kind


_TYPES: Final[tuple[tuple[tuple[type, ...], str], ...]] = (
    ((str, bytes, bytearray, memoryview), "string"),
    ((datetime, date, time, timedelta, UUID, Decimal, PurePath), "string"),
    ((IPv4Address, IPv6Address, IPv4Network, IPv6Network), "string"),
    ((bool,), "boolean"),
    ((int,), "integer"),
    ((float,), "number"),
    ((NoneType,), "null"),
    ((Mapping,), "object"),
    ((Iterable,), "array"),
)


def json_type_of_class(cls: type) -> str | None:
    """Return what JSON Schema calls the values of a class; None where that depends on the value."""
    if issubclass(cls, Enum):
        return None
    if field_names(cls) is not None:
        return "object"
    return next((name for classes, name in _TYPES if issubclass(cls, classes)), None)


class _Meaning(NamedTuple):
    """The parts of an annotation."""

    types: tuple[str, ...] = ()  # none: any
    enum: tuple[Any, ...] = ()
    nested: tuple[type, ...] = ()
    description: str = ""
    pii: str | None = None


def fields_of_class(cls: type, local: Mapping[str, Any] | None = None) -> tuple[FieldDoc, ...]:
    """Return the fields that a record or a `TypedDict` declares, nested ones with dotted names.

    Args:
        cls: the class.
        local: names that its annotations may use besides those of its module.

    Raises:
        ValueError: an annotation cannot be resolved.
    """
    return tuple(_fields(cls, local, "", ()))


def _fields(
    cls: type, local: Mapping[str, Any] | None, prefix: str, above: tuple[type, ...]
) -> Iterator[FieldDoc]:
    if cls in above or len(above) == MAX_DEPTH:  # it holds itself
        return
    for name, (hint, required) in _declared(cls, local).items():
        meaning = _meaning(hint)
        yield FieldDoc(
            name=prefix + name,
            description=meaning.description,
            type="|".join(dict.fromkeys(meaning.types)) or None,
            required=required,
            pii=meaning.pii,
            enum=meaning.enum,
        )
        for nested in meaning.nested:
            yield from _fields(nested, local, f"{prefix}{name}.", (*above, cls))


def _declared(cls: type, local: Mapping[str, Any] | None) -> dict[str, tuple[Any, bool]]:
    hints = _hints(cls, local)
    if is_typeddict(cls):
        keys: frozenset[str] = cls.__required_keys__  # type: ignore[attr-defined]
        return {name: (hint, name in keys) for name, hint in hints.items()}
    return {name: (hints.get(name, Any), is_needed) for name, is_needed in _fields_of(cls).items()}


def _fields_of(cls: Any) -> dict[str, bool]:
    """Return the fields of a record's class, and whether they have to be given.

    Of the classes of attrs and pydantic, by the attributes that those document.
    """
    if dataclasses.is_dataclass(cls):
        return {
            field.name: field.default is _EMPTY and field.default_factory is _EMPTY
            for field in dataclasses.fields(cls)
        }
    if hasattr(cls, "__struct_fields__"):
        from msgspec.structs import fields  # noqa: PLC0415  costs imports

        return {field.name: field.required for field in fields(cls)}
    if hasattr(cls, "__attrs_attrs__"):
        nothing = getattr(sys.modules.get("attr"), "NOTHING", None)
        return {field.name: field.default is nothing for field in cls.__attrs_attrs__}
    return {name: field.is_required() for name, field in cls.model_fields.items()}


def _hints(cls: type, local: Mapping[str, Any] | None) -> dict[str, Any]:
    try:
        try:
            return get_type_hints(cls, include_extras=True)
        except NameError:  # a class of a function, whose annotations name others of it
            module = vars(sys.modules.get(cls.__module__, dataclasses))
            return get_type_hints(cls, dict(module), {**(local or {}), **vars(cls)}, True)  # noqa: FBT003
    except Exception as error:
        text = f"{cls.__name__}: its annotations cannot be resolved at run time"
        raise ValueError(f"{text}: {type(error).__name__}: {error}") from error


def _meaning(hint: Any) -> _Meaning:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(_meaning(arguments[0]), hint.__metadata__)
    if origin in {Required, NotRequired}:
        return _meaning(arguments[0])
    if origin is Literal:
        return _of_values(arguments)
    if origin in {Union, UnionType}:
        return _union([_meaning(argument) for argument in arguments])
    if isinstance(hint, NewType):
        return _meaning(hint.__supertype__)
    kind = NoneType if hint is None else origin if isinstance(origin, type) else hint
    return _of_class(kind, arguments) if isinstance(kind, type) else _Meaning()


def _of_class(kind: type, arguments: tuple[Any, ...]) -> _Meaning:
    if issubclass(kind, Enum):
        return _of_values([member.value for member in kind])
    if field_names(kind) is not None or is_typeddict(kind):
        return _Meaning(("object",), nested=(kind,))
    name = json_type_of_class(kind)
    if name == "array":
        items = [_meaning(argument) for argument in arguments if argument is not ...]
        return _Meaning((name,), nested=tuple(cls for item in items for cls in item.nested))
    return _Meaning((name,)) if name is not None else _Meaning()


def _annotated(meaning: _Meaning, metadata: Iterable[object]) -> _Meaning:
    for annotation in metadata:
        if isinstance(annotation, PII):
            meaning = meaning._replace(pii=annotation.kind)
        elif isinstance(text := getattr(annotation, "documentation", None), str):  # PEP 727's too
            meaning = meaning._replace(description=text)
    return meaning


def _of_values(values: Iterable[Any]) -> _Meaning:
    plain = [value.value if isinstance(value, Enum) else value for value in values]
    names = [json_type_of_class(type(value)) for value in plain]
    if not all(isinstance(value, str | int | float | None) for value in plain):
        return _Meaning()
    return _Meaning(tuple(name for name in names if name), tuple(plain))


def _union(choices: list[_Meaning]) -> _Meaning:
    if not all(choice.types for choice in choices):
        return _Meaning()
    return _Meaning(
        types=tuple(name for choice in choices for name in choice.types),
        # Values are named only where every choice but null names its own.
        enum=_joined(choices),
        nested=tuple(cls for choice in choices for cls in choice.nested),
        description=next((choice.description for choice in choices if choice.description), ""),
        pii=next((choice.pii for choice in choices if choice.pii), None),
    )


def _joined(choices: list[_Meaning]) -> tuple[Any, ...]:
    named = [choice.enum or ((None,) if choice.types == ("null",) else ()) for choice in choices]
    if not all(named) or not any(choice.enum for choice in choices):
        return ()
    return tuple(dict.fromkeys(value for values in named for value in values))
