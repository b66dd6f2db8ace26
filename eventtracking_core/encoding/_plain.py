"""Objects with an exact plain value: those of NumPy, pandas, BSON, Django, and their like.

No library is imported: a type is known by its name, or by a protocol that it documents. Attributes
are looked up on types, so an object that makes its attributes up, such as a mock, has no value.
"""

from __future__ import annotations

import operator
from collections import UserString
from collections.abc import Callable, MappingView, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import islice
from numbers import Complex, Rational, Real
from typing import Any, Final, TypeVar

from eventtracking_core.encoding._limits import MAX_NODES

__all__ = [
    "by_type",
    "field_names",
    "has_reader",
    "is_bson",
    "is_proxy",
    "reader",
    "unwrapped",
]

MAX_PROXIES: Final = 8

Reader = Callable[[Any], Any]
_MISSING: Final = object()
_FINE: Final = ("[ns]", "[ps]", "[fs]", "[as]")
_T = TypeVar("_T")


def by_type(function: Callable[[type], _T]) -> Callable[[type], _T]:
    """Remember what a function returns for the types it was last asked for."""
    return lru_cache(maxsize=1024)(function)


@by_type
def reader(kind: type) -> Reader | None:
    """Return a function that reads the exact value of objects of a type; None if they have none.

    The values are of Python's own types. Lists and dicts may hold any objects, and have few more
    members than an event may have.
    """
    named = _named(kind)
    if named is not None:
        return named
    if is_bson(kind):
        return _bson_text
    if issubclass(kind, UserString):
        return UserString.__str__
    if _has(kind, "tolist"):
        return _members
    if issubclass(kind, Sequence | AbstractSet | MappingView):
        return _first
    return _number_reader(kind) or _time_reader(kind)


def has_reader(kind: type) -> bool:
    """Return whether a type has a reader of its own, whatever it inherits from."""
    return _named(kind) is not None


def _named(kind: type) -> Reader | None:
    for base in kind.__mro__:
        if read := _NAMED.get(_name(base)):
            return read
    return None


def _number_reader(kind: type) -> Reader | None:
    if _has(kind, "item") and _looked_up(kind, "dtype") is not _MISSING:
        return kind.item  # type: ignore[attr-defined, no-any-return]
    if _has(kind, "__index__"):
        return operator.index
    if issubclass(kind, Rational):
        return _ratio
    if issubclass(kind, Real):
        return _exact_float
    return (lambda value: repr(complex(value))) if issubclass(kind, Complex) else None


def _time_reader(kind: type) -> Reader | None:
    for name in ("isoformat", "format_iso"):  # the standard library's and its like, whenever's
        if _has(kind, name):
            return getattr(kind, name)  # type: ignore[no-any-return]
    return None


@by_type
def is_bson(kind: type) -> bool:
    """Return whether a type is one of BSON's own, as the package `bson` defines them."""
    return any(
        base.__module__.startswith("bson.") and "_type_marker" in vars(base)
        for base in kind.__mro__
        if not issubclass(kind, dict) and not _has(kind, "items")
    )


def unwrapped(value: object) -> object:
    """Return what a transparent proxy stands for; any other object as it is."""
    for _ in range(MAX_PROXIES):
        unwrap = _unwrapper(type(value))
        if unwrap is None:
            return value
        value = unwrap(value)
    raise ValueError("a proxy of a proxy, and so on")


def is_proxy(kind: type) -> bool:
    """Return whether objects of a type stand for another one, whose class they claim."""
    return _unwrapper(kind) is not None


@by_type
def _unwrapper(kind: type) -> Reader | None:
    if ("django", "LazyObject") in map(_name, kind.__mro__):
        return _django_object
    if _looked_up(kind, "_get_current_object") is not _MISSING:  # Werkzeug's
        return lambda value: value._get_current_object()  # noqa: SLF001  its documented method
    if _looked_up(kind, "__wrapped__") is not _MISSING:  # wrapt's, lazy_object_proxy's
        return operator.attrgetter("__wrapped__")
    return None


@by_type
def field_names(kind: type) -> tuple[str, ...] | None:
    """Return the names of the fields that records of a type have; None if it is no record."""
    for attribute in ("__dataclass_fields__", "__struct_fields__", "model_fields"):
        fields = getattr(kind, attribute, None)
        if isinstance(fields, dict | tuple):
            return tuple(name for name in fields if isinstance(name, str))
    attributes = getattr(kind, "__attrs_attrs__", None)
    return tuple(field.name for field in attributes) if isinstance(attributes, tuple) else None


def _looked_up(kind: type, name: str) -> object:
    bases = kind.__mro__[:-1]  # all but `object`
    return next((vars(base)[name] for base in bases if name in vars(base)), _MISSING)


def _has(kind: type, name: str) -> bool:
    """Return whether a type has a method that is not every object's."""
    return callable(_looked_up(kind, name))


def _name(kind: type) -> tuple[str, str]:
    """Return the package of a type, and its name there."""
    return kind.__module__.partition(".")[0], kind.__qualname__


def _null(_value: object) -> None:
    return None


def _text(value: Any) -> str:
    kind: Any = type(value)
    return str.__str__(kind.__str__(value))


def _bson_text(value: Any) -> str:
    kind: Any = type(value)
    text = kind.__str__(value) if _has(kind, "__str__") else kind.__repr__(value)
    return str.__str__(text)


def _ratio(value: Any) -> str:
    numerator, denominator = operator.index(value.numerator), operator.index(value.denominator)
    return f"{numerator}/{denominator}" if denominator != 1 else str(numerator)


def _exact_float(value: Any) -> float:
    number = float(value)
    if number == value or number != number:  # noqa: PLR0124  NaN
        return number
    raise ValueError("a number that no float is equal to")


def _long_float(value: Any) -> Any:
    return float(value) if float(value) == value else _text(value)


def _time(value: Any) -> Any:
    """Return a `datetime64` or `timedelta64` in whole microseconds; what has none, as text."""
    plain = value.item()
    if isinstance(plain, int) and value.dtype.name.endswith(_FINE):
        plain = value.astype(f"{value.dtype.kind}8[us]").item()
    return _text(value) if isinstance(plain, int) else plain


def _members(value: Any) -> Any:
    """Return an array as a list, or the scalar that it is; of a large one, its beginning."""
    dtype_kind = getattr(getattr(value, "dtype", None), "kind", "")
    size = getattr(value, "size", None)
    if not isinstance(size, int):
        size = len(value)
    if size <= MAX_NODES and dtype_kind not in {"M", "m"}:
        return value.tolist()
    return _first(value) if getattr(value, "ndim", 1) else value.item()


def _first(value: Any) -> list[Any]:
    return list(islice(iter(value), MAX_NODES + 1))


def _rows(value: Any) -> Any:
    rows = MAX_NODES // max(1, len(value.columns)) + 1
    return value.iloc[:rows].to_dict("records")


def _lists(method: str) -> Reader:
    """Return a reader of mappings whose keys may have several values, which a method returns."""

    def read(value: Any) -> dict[Any, list[Any]]:
        values = getattr(type(value), method)
        return {key: values(value, key) for key in islice(iter(value), MAX_NODES + 1)}

    return read


def _arrow_members(value: Any) -> Any:
    rows = MAX_NODES // max(1, getattr(value, "num_columns", 1)) + 1
    return value.slice(0, rows).to_pylist()


def _polars_rows(value: Any) -> Any:
    return value.head(MAX_NODES // max(1, value.width) + 1).to_dicts()


def _django_object(value: Any) -> Any:
    # What it is pickled as is what it stands for; it is asked for then, if it was not before.
    kind: Any = type(value)
    return kind.__reduce__(value)[1][0]


_NAMED: Final[dict[tuple[str, str], Reader]] = {
    ("django", "MultiValueDict"): _lists("getlist"),
    ("django", "Promise"): _text,
    ("httpx", "QueryParams"): _lists("get_list"),
    ("httpx", "URL"): _text,
    ("lxml", "StringElement"): _text,
    ("multidict", "MultiDict"): _lists("getall"),
    ("multidict", "MultiDictProxy"): _lists("getall"),
    ("numpy", "clongdouble"): _text,
    ("numpy", "datetime64"): _time,
    ("numpy", "longdouble"): _long_float,
    ("numpy", "timedelta64"): _time,
    ("pandas", "DataFrame"): _rows,
    ("pandas", "Interval"): _text,
    ("pandas", "NAType"): _null,
    ("pandas", "NaTType"): _null,
    ("pandas", "Period"): _text,
    ("polars", "DataFrame"): _polars_rows,
    ("polars", "Series"): lambda value: value.head(MAX_NODES + 1).to_list(),
    ("pyarrow", "ChunkedArray"): _arrow_members,
    ("pyarrow", "RecordBatch"): _arrow_members,
    ("pyarrow", "Scalar"): lambda value: value.as_py(),
    ("pyarrow", "Table"): _arrow_members,
    ("pydantic", "_BaseUrl"): _text,
    ("pydantic_core", "Url"): _text,
    ("starlette", "ImmutableMultiDict"): _lists("getlist"),
    ("starlette", "URL"): _text,
    ("ulid", "ULID"): _text,
    ("uuid_utils", "UUID"): _text,
    ("werkzeug", "MultiDict"): _lists("getlist"),
    ("xarray", "DataArray"): lambda value: _members(value.values),
    ("yarl", "URL"): _text,
}
