"""Values of other libraries, and what each becomes in every text sink."""

from __future__ import annotations

import array
import collections
import enum
import fractions
import types
from datetime import UTC, datetime

import httpx
import multidict
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import xarray as xr
from bson import Binary, Decimal128, Int64, ObjectId
from django.conf import settings
from django.http import QueryDict
from django.utils.functional import SimpleLazyObject, lazystr
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from freezegun.api import FakeDate, FakeDatetime
from pydantic import AnyUrl
from starlette.datastructures import URL, FormData, QueryParams
from ulid import ULID
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from whenever import Instant

if not settings.configured:
    settings.configure(USE_I18N=False)


class Level(enum.IntEnum):
    HIGH = 3


class Mood(enum.StrEnum):
    GOOD = "good"


class Moment(datetime):
    """As pendulum's, among others."""


class Whole:
    """A number of its own, as gmpy2 and SymPy have them."""

    def __init__(self, value):
        self._value = value

    def __index__(self):
        return self._value


Point = collections.namedtuple("Point", ("x", "y"))  # noqa: PYI024  the plain one is the case
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
PROXY = multidict.MultiDictProxy(multidict.MultiDict([("a", 1)]))
CROCKFORD = "01BX5ZZKBKACTAV9WEVGEMMVRZ"
OID = "0123456789ab0123456789ab"

EXACT = {
    "numpy int64": (np.int64(3), 3),
    "numpy uint64": (np.uint64(2**63 - 1), 2**63 - 1),
    "numpy float32": (np.float32(0.5), 0.5),
    "numpy float64": (np.float64(1.5), 1.5),
    "numpy longdouble": (np.longdouble("0.1"), "0.1"),
    "numpy bool": (np.bool_(True), True),  # noqa: FBT003  the case
    "numpy str": (np.str_("a"), "a"),
    "numpy datetime64": (np.datetime64("2026-01-01T00:00"), "2026-01-01T00:00:00Z"),
    "numpy datetime64 in nanoseconds": (
        np.datetime64("2026-01-01T00:00:00.000001", "ns"),
        "2026-01-01T00:00:00.000001Z",
    ),
    "numpy date": (np.datetime64("2026-01-01"), "2026-01-01"),
    "numpy NaT": (np.datetime64("NaT", "s"), None),
    "numpy timedelta64": (np.timedelta64(5, "s"), "PT5S"),
    "numpy months": (np.timedelta64(5, "M"), "5 months"),
    "numpy array": (np.array([1, 2]), [1, 2]),
    "numpy matrix": (np.array([[1.5], [2.5]]), [[1.5], [2.5]]),
    "numpy array of one": (np.array(5), 5),
    "numpy array of times": (
        np.array(["2026-01-01"], dtype="datetime64[ns]"),
        ["2026-01-01T00:00:00Z"],
    ),
    "pandas Timestamp": (pd.Timestamp("2026-01-01 01:00+01:00"), "2026-01-01T00:00:00Z"),
    "pandas NaT": (pd.NaT, None),
    "pandas NA": (pd.NA, None),
    "pandas Timedelta": (pd.Timedelta(1, "s"), "PT1S"),
    "pandas Series": (pd.Series([1, 2]), [1, 2]),
    "pandas Series of times": (
        pd.Series(pd.to_datetime(["2026-01-01"])),
        ["2026-01-01T00:00:00Z"],
    ),
    "pandas DataFrame": (pd.DataFrame({"a": [1], "b": ["x"]}), [{"a": 1, "b": "x"}]),
    "pandas Period": (pd.Period("2026-01"), "2026-01"),
    "pandas Interval": (pd.Interval(1, 2), "(1, 2]"),
    "pandas Index": (pd.Index([1]), [1]),
    "polars Series": (pl.Series([1, None]), [1, None]),
    "polars DataFrame": (pl.DataFrame({"a": [1], "b": ["x"]}), [{"a": 1, "b": "x"}]),
    "xarray DataArray": (xr.DataArray([1.5, 2.5]), [1.5, 2.5]),
    "xarray DataArray of one": (xr.DataArray(3), 3),
    "pyarrow text": (pa.scalar("a"), "a"),
    "pyarrow null": (pa.scalar(None), None),
    "pyarrow Array": (pa.array([1, None]), [1, None]),
    "pyarrow ChunkedArray": (pa.chunked_array([[1], [2]]), [1, 2]),
    "pyarrow Table": (pa.table({"a": [1], "b": ["x"]}), [{"a": 1, "b": "x"}]),
    "django lazystr": (lazystr("a"), "a"),
    "django gettext_lazy": (gettext_lazy("a"), "a"),
    "django SafeString": (SafeString("a"), "a"),
    "django SimpleLazyObject": (SimpleLazyObject(lambda: 5), 5),
    "django QueryDict": (QueryDict("a=1&a=2"), {"a": ["1", "2"]}),
    "werkzeug MultiDict": (MultiDict([("a", 1), ("a", 2)]), {"a": [1, 2]}),
    "werkzeug CombinedMultiDict": (CombinedMultiDict([MultiDict([("a", 1)])]), {"a": [1]}),
    "starlette QueryParams": (QueryParams("a=1&a=2"), {"a": ["1", "2"]}),
    "starlette FormData": (FormData([("a", "1"), ("a", "2")]), {"a": ["1", "2"]}),
    "starlette URL": (URL("http://a/b"), "http://a/b"),
    "httpx QueryParams": (httpx.QueryParams("a=1&a=2"), {"a": ["1", "2"]}),
    "httpx URL": (httpx.URL("http://a/b"), "http://a/b"),
    "multidict MultiDict": (multidict.MultiDict([("a", 1), ("a", 2)]), {"a": [1, 2]}),
    "multidict MultiDictProxy": (PROXY, {"a": [1]}),
    "pydantic AnyUrl": (AnyUrl("http://a/b"), "http://a/b"),
    "UserString": (collections.UserString("a"), "a"),
    "UserDict": (collections.UserDict(a=1), {"a": 1}),
    "UserList": (collections.UserList([1]), [1]),
    "mapping proxy": (types.MappingProxyType({"a": 1}), {"a": 1}),
    "keys": ({"a": 1}.keys(), ["a"]),
    "values": ({"a": 1}.values(), [1]),
    "freezegun datetime": (FakeDatetime(2026, 1, 1), "2026-01-01T00:00:00Z"),
    "freezegun date": (FakeDate(2026, 1, 1), "2026-01-01"),
    "datetime subclass": (Moment(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z"),
    "whenever Instant": (Instant.from_utc(2026, 1, 1), "2026-01-01T00:00:00Z"),
    "ULID": (ULID.from_str(CROCKFORD), CROCKFORD),
    "IntEnum": (Level.HIGH, 3),
    "StrEnum": (Mood.GOOD, "good"),
    "Fraction": (fractions.Fraction(1, 3), "1/3"),
    "complex": (1j, "1j"),
    "index": (Whole(7), 7),
    "named tuple": (Point(1, 2), [1, 2]),
    "array": (array.array("i", [1]), [1]),
    "ObjectId": (ObjectId(OID), OID),
    "Decimal128": (Decimal128("9.90"), "9.90"),
    "Int64": (Int64(3), 3),
    "Binary": (Binary(b"\x00\x01", 5), "AAE="),
}
