"""Objects whose types do what no type should, or are no plain ones."""

from __future__ import annotations

import enum
from collections import namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, NoReturn

import msgspec

__all__ = [
    "Colour",
    "Float",
    "Hostile",
    "HostileDict",
    "HostileMapping",
    "HostileText",
    "Int",
    "Lying",
    "Nameless",
    "Point",
    "Record",
    "Struct",
    "Surrogate",
    "Text",
    "Zone",
]


class _Shown:
    """Says only its type where a test's report prints it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Hostile(_Shown):
    """Raises from whatever it is asked for."""

    def _refuse(self, *_: object) -> NoReturn:
        raise RuntimeError("hostile")

    __str__ = __iter__ = __len__ = __bool__ = __eq__ = __getattr__ = __call__ = _refuse
    keys = items = values = __getitem__ = __float__ = __int__ = __index__ = __bytes__ = _refuse
    __hash__ = object.__hash__


class Lying(_Shown):
    """Does not say what it is."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError("hostile")

    @__class__.setter
    def __class__(self, kind: type) -> None: ...


class _Secretive(type):
    """Raises when one of its classes is asked for anything, such as its name."""

    def __getattribute__(cls, name: str) -> NoReturn:
        raise RuntimeError("hostile")

    @property
    def __module__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("hostile")


class Nameless(metaclass=_Secretive):
    """Its class does not say what it is called."""

    def __repr__(self) -> str:
        return "<Nameless>"


class HostileText(Hostile, str):
    """A text that only C code can read."""

    __slots__ = ()


class Text(str):
    """A text, as template engines mark one."""

    __slots__ = ()


class Int(int):
    """An int."""


class Float(float):
    """A float."""


class HostileDict(Hostile, dict[str, int]):  # type: ignore[misc]  # it is never hashed
    """A dict that only C code can read."""


class HostileMapping(_Shown, Mapping[str, int]):
    """A mapping that promises what it does not have."""

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("hostile")

    def __getitem__(self, key: str) -> int:
        raise RuntimeError("hostile")


class Zone(_Shown, tzinfo):
    """A time zone whose offset is given, or raises a given exception."""

    def __init__(self, offset: Any) -> None:
        self._offset = offset

    def utcoffset(self, _moment: datetime | None, /) -> Any:
        """Return what was given, or raise it."""
        if isinstance(self._offset, Exception):
            raise self._offset
        return self._offset

    dst = tzname = utcoffset


class Colour(enum.Enum):
    """An enumeration."""

    RED = "red"


@dataclass
class Record:
    """A dataclass."""

    number: int = 1


class Struct(msgspec.Struct):
    """A struct."""

    number: int = 1


Point = namedtuple("Point", ("x", "y"))  # noqa: PYI024  the plain one is a case too
Surrogate: Any = type("Surrogate", (_Shown,), {"__qualname__": "Surrogate\ud800"})
