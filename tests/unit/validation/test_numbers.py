"""Numbers of registered types: finite ones of any size are valid, others are reported."""

from math import inf, nan

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.registry import FieldDoc

FIELDS = {name: FieldDoc(name, type="number") for name in ("low", "high", "range.mean")}


def warnings_of(low, high, mean):
    tracker = et.Tracker({"memory": MemoryBackend()})
    tracker.register("org.lab.measured", "", FIELDS)
    tracker.emit("org.lab.measured", {"low": low, "high": high, "range": {"mean": mean}})
    return dict(tracker.stats()["warnings"])


@pytest.mark.parametrize("number", [0, -0.0, 1e308, -1e308, 10**400])
def test_numbers_of_any_size_are_valid(number):
    assert warnings_of(number, number, number) == {}


@pytest.mark.parametrize("number", [inf, -inf, nan])
def test_each_float_that_is_not_finite_is_reported(number):
    assert warnings_of(number, 1.0, 2) == {"not_serializable": 1}
    assert warnings_of(1, number, number) == {"not_serializable": 2}


@pytest.mark.parametrize("value", [True, "1", None])
def test_other_values_are_no_numbers(value):
    assert warnings_of(1.0, value, 2) == {"type_mismatch": 1}
