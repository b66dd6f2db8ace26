"""The walks in C say what those in Python say, or leave the decision to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eventtracking_core.encoding._checks import COPIED, MAX_WEIGHT, weight
from eventtracking_core.encoding._encodable import copied
from eventtracking_core.validation.values import size_in_python
from eventtracking_speedups import plain_copy, plain_size, plain_weight

NOW = datetime(2026, 9, 12, tzinfo=UTC)
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just(NOW)
)
FOREIGN = st.sampled_from(
    [
        b"",
        Decimal(1),
        NOW.replace(tzinfo=None),
        NOW.astimezone(timezone(timedelta(hours=1))),
        {1: 2},
    ]
)
DATA = st.dictionaries(
    st.text(max_size=3),
    st.recursive(
        PLAIN | FOREIGN,
        lambda values: (
            st.lists(values, max_size=4)
            | st.lists(values, max_size=4).map(tuple)
            | st.dictionaries(st.text(max_size=3), values, max_size=4)
        ),
        max_leaves=12,
    ),
    max_size=5,
)


def an_event(data, context=None, **fields):
    event = {"id": "x", "name": "a.b", "timestamp": NOW, "context": context or {}, "data": data}
    return event | fields


def nested(depth):
    data = {}
    for _ in range(depth):
        data = {"a": data}
    return data


@given(context=DATA, data=DATA)
@example(context={}, data=nested(63))
@example(context={}, data=nested(64))
@example(context={}, data=nested(66))
@example(context={}, data=nested(100))
@example(context={}, data={"a": "x" * MAX_WEIGHT})
@example(context={}, data={"a": "x" * (MAX_WEIGHT + 1)})
@example(context={}, data={"a": [0] * 20_000})
@example(context={}, data={"a": [0] * 30_000})
@example(context={}, data={str(number): number for number in range(1000)})
def test_an_event_that_is_plain_in_c_is_plain_in_python(context, data):
    event = an_event(data, context)
    quick = plain_weight(event)
    if quick >= 0:
        slow = weight(event)
        assert slow % COPIED <= quick % COPIED <= MAX_WEIGHT
        assert quick >= COPIED or slow < COPIED


@given(data=DATA)
@example(data={str(number): [number, {"a": NOW.replace(tzinfo=None)}] for number in range(50)})
@example(data=nested(100))
def test_a_copy_is_the_same_in_c_and_in_python(data):
    assert repr(plain_copy(data, copied, str)) == repr(copied(data, str))


@given(data=DATA)
@example(data=nested(63))
@example(data=nested(100))
@example(data={"a": [0] * 30_000})
@example(data={"a": float("nan")})
def test_a_size_is_the_same_in_c_and_in_python(data):
    quick = plain_size(data)
    if quick >= 0:
        assert quick == size_in_python(data)


@pytest.mark.parametrize(
    "data", [{}, {"a": 1, "b": [1.5, None, True, "x", NOW, (1,)], "c": {"d": {}}}]
)
def test_what_most_events_hold_is_plain(data):
    stamps = {"name_id": "1", "context_type_id": "2"}
    assert plain_weight(an_event(data)) >= 0
    assert plain_weight(an_event(data, data)) >= 0
    assert plain_weight(an_event(data, name_id="1")) >= 0
    assert plain_weight(an_event(data, **stamps)) >= 0


@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        an_event(None),
        an_event({}, more=1),
        an_event({}, name_id=1),
        an_event({}) | {"timestamp": NOW.replace(tzinfo=None)},
        an_event({}) | {"timestamp": "now"},
        an_event({}) | {"context": [1]},
        an_event({type("Text", (str,), {})("a"): 1}),
    ],
)
def test_anything_else_is_left_to_python(event):
    assert plain_weight(event) == -1


def test_values_that_refer_to_themselves_are_left_to_python():
    data = {"a": []}
    data["a"].append(data)
    assert plain_weight(an_event(data)) == plain_size(data) == -1
