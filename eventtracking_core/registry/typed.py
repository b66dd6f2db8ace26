"""Event types as classes: declared once, checked by type checkers, documented by annotations."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import cleandoc
from typing import Any, Final, TypeVar, dataclass_transform

from eventtracking_core.encoding import field_names
from eventtracking_core.events import clean_name
from eventtracking_core.registry.annotations import fields_of_class
from eventtracking_core.registry.declaring import declare
from eventtracking_core.registry.record import EventType, registration

__all__ = ["event", "fields_of"]

T = TypeVar("T")

_SCALARS: Final = frozenset({"string", "integer", "number", "boolean", "null"})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def event(
    name: str | None = None,
    *,
    owner: str | None = None,
    tags: Sequence[str] = (),
    examples: Iterable[Mapping[str, Any]] = (),
    deprecated: str | None = None,
) -> Callable[[type[T]], type[T]]:
    """Make a class the declaration of an event type: `tracker.emit(ShowAnswer(problem_id="p1"))`.

    The class becomes a dataclass that takes keywords; one that is a record already, of attrs,
    pydantic, msgspec or `dataclasses`, stays what it is. Its docstring is the description, its
    annotations are the fields. A class that inherits from it has its fields too. Two classes may
    declare one name: each event refers to the one it was made of. Type checkers refuse to change
    an event; nothing checks that at run time, for speed.

    Args:
        name: of the events, dotted: `org.area.verb`. Without one, the class is a base for others,
            or the type of a field.
        owner: who answers for it.
        tags: words to find it by.
        examples: data of sample events.
        deprecated: what to use instead, where it should not be used any more.

    Raises:
        ValueError: an annotation cannot be resolved at run time.
    """
    local = sys._getframe(1).f_locals  # noqa: SLF001  annotations may name a function's own classes

    def declared_class(cls: type[T]) -> type[T]:
        docstring = cls.__dict__.get("__doc__")
        is_ours = not _is_record(cls)
        if is_ours:
            cls = dataclass(kw_only=True, unsafe_hash=True)(cls)
        declared = fields_of_class(cls, local)
        if name is None:
            return cls
        record = EventType(
            name=clean_name(name),
            description=cleandoc(docstring or ""),
            fields=declared,
            owner=owner,
            tags=tuple(tags),
            examples=tuple(examples),
            deprecated=deprecated,
            **registration(),
        )
        nested = [doc.name for doc in declared if "." not in doc.name and not _is_flat(doc.type)]
        cls.__event_type__ = record  # type: ignore[attr-defined]
        cls.__event_data__ = _reader(nested) if is_ours else fields_of  # type: ignore[attr-defined]
        declare(record)
        return cls

    return declared_class


def _is_flat(kind: str | None) -> bool:
    return kind is not None and _SCALARS.issuperset(kind.split("|"))


def _reader(nested: Sequence[str]) -> Callable[[object], dict[str, Any]]:
    """Return what makes an instance into data: a new dict, records within it as dicts."""
    if not nested:
        return _copied

    def data(instance: object) -> dict[str, Any]:
        values = vars(instance).copy()
        for name in nested:
            if name in values:
                values[name] = _plain(values[name])
        return values

    return data


def _is_record(cls: type) -> bool:
    """Return whether a class declares fields itself, or is of a kind whose subclasses all do."""
    own = vars(cls)
    if "__dataclass_fields__" in own or "__attrs_attrs__" in own:
        return True
    return "__dataclass_fields__" not in dir(cls) and field_names(cls) is not None


def fields_of(instance: object) -> dict[str, Any]:
    """Return the fields of a record, records within it as dicts."""
    names = field_names(type(instance)) or ()
    return {name: _plain(getattr(instance, name)) for name in names}


def _copied(instance: object) -> dict[str, Any]:
    return instance.__dict__.copy()


def _plain(value: Any) -> Any:
    kind = type(value)
    if field_names(kind) is not None:
        return fields_of(value)
    if kind is list or kind is tuple:
        return [_plain(item) for item in value]
    if kind is dict:
        return {key: _plain(item) for key, item in value.items()}
    return value
