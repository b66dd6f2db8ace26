"""A value is stored as what it is: those of other libraries too, whatever the delivery."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from unittest.mock import MagicMock, Mock

import numpy as np
import pandas as pd
import pytest
from exact_values import EXACT, Whole
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core import FieldDoc, Tracker
from eventtracking_core.encoding import _losses as losses
from eventtracking_core.encoding import (
    decode_json,
    encode_json,
    encode_msgpack,
    id_text,
    normal_from_msgpack,
    normalize,
)
from eventtracking_core.testing.hostile import VALUES


@pytest.fixture
def told(caplog, monkeypatch):
    """Return the warnings that were logged, each of them once a test."""
    monkeypatch.setattr(losses, "_logged", set())
    caplog.set_level(logging.WARNING, "eventtracking")
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("name", EXACT)
def test_an_exact_value_is_written_by_both_encoders(name, an_event, told):
    value, expected = EXACT[name]
    event = an_event({"value": value, "of": [{"them": value}]})

    written = json.loads(encode_json(event))["data"]
    queued = json.loads(encode_json(normal_from_msgpack(encode_msgpack(event))))["data"]

    assert written == {"value": expected, "of": [{"them": expected}]}
    assert queued == written
    assert told() == []


@pytest.mark.parametrize("mode", ["inline", "queue", "spool"])
def test_users_stay_apart_whatever_the_delivery(mode, tmp_path):
    tracker = Tracker()
    path = tmp_path / "events"
    options = {} if mode == "inline" else {"directory": str(tmp_path / "spool")}
    delivery = {"mode": mode, **options}
    tracker.configure(
        {"backends": {"f": {"type": "file", "path": str(path), "delivery": delivery}}}
    )
    users = [*np.array([11, 12]), *(Whole(number) for number in (13, 14))]
    for user in users:
        with tracker.context(user_id=user):
            tracker.emit("scored", {name: value for name, (value, _) in EXACT.items()})
    assert tracker.shutdown(60)

    events = [json.loads(line) for line in path.read_text().splitlines()]

    assert sorted(event["context"]["user_id"] for event in events) == [11, 12, 13, 14]
    expected = {name: value for name, (_, value) in EXACT.items()}
    assert all(event["data"] == expected for event in events)


def _is_name(plain):
    return type(plain) in {str, int}


def _has_hash(value):
    try:
        hash(value)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, (value, plain) in EXACT.items()
        if type(plain) in {str, int} and _has_hash(value)
    ],
)
def test_a_key_is_the_text_of_its_value(name, an_event):
    value, expected = EXACT[name]

    [key] = json.loads(encode_json(an_event({value: 1})))["data"]

    assert key == str(expected)


@pytest.mark.parametrize("make", [Mock, MagicMock, object, lambda: len])
def test_what_becomes_the_name_of_a_type_is_warned_of_once(make, an_event, told):
    event = an_event({"deep": [{"field": make()}]})

    for _ in range(3):
        encode_json(event)
        encode_msgpack(event)

    [line] = told()
    assert "deep.field" in line
    assert "has no form in JSON" in line


def test_a_registered_type_is_warned_of_by_its_tracker_alone(tmp_path, told):
    tracker = Tracker()
    tracker.configure({"backends": {"f": {"type": "file", "path": str(tmp_path / "f")}}})
    tracker.register("test.known", "A type.", {"field": "Anything."})

    tracker.emit("test.known", {"field": object()})
    tracker.emit("test.known", {"field": float("nan")})

    assert tracker.stats()["warnings"] == {"not_serializable": 2}
    assert len(told()) == 1
    tracker.shutdown(1)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), np.float64("-inf")])
@pytest.mark.parametrize("kind", ["number", None, "number|null", "integer|number|string|null"])
def test_a_number_that_is_not_finite_is_warned_of(number, kind, tracker):
    tracker.register("test.graded", "A grade.", {"grade": FieldDoc("grade", type=kind)})

    tracker.emit("test.graded", {"grade": number})

    assert tracker.stats()["warnings"] == {"not_serializable": 1}


def test_the_size_of_an_event_includes_what_providers_add():
    tracker = Tracker()
    tracker.configure(
        {
            "context": [{"type": "static", "values": {"release": "r" * 2000}}],
            "backends": {"n": "null"},
            "max_event_size": 1000,
        }
    )
    tracker.register("test.small", "A type.", {"field": "Anything."})

    tracker.emit("test.small", {"field": 1})

    assert tracker.stats()["warnings"] == {"too_large": 1}


def test_time_that_stands_still_loses_no_event(tmp_path):
    tracker = Tracker()
    files = {name: str(tmp_path / name) for name in ("inline", "queue")}
    backends = {
        name: {"type": "file", "path": path, "delivery": name} for name, path in files.items()
    }
    tracker.configure({"backends": backends})
    with freeze_time("2020-01-02 03:04:05"):
        tracker.emit("now", {"due": datetime.now()})  # noqa: DTZ005  the case
        tracker.emit("given", timestamp=datetime.now(UTC))
    assert tracker.shutdown(60)

    for name in files:
        due, given_time = [
            decode_json(line) for line in (tmp_path / name).read_bytes().splitlines()
        ]
        assert due["data"]["due"] == "2020-01-02T03:04:05Z"
        assert given_time["timestamp"] == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("size", [300 * 1024, 30 * 2**20])
@pytest.mark.parametrize("part", ["context", "data"])
@pytest.mark.parametrize("make", [str, bytes, bytearray])
def test_a_long_text_among_few_values_is_cut(size, part, make, an_event):
    event = an_event({})
    value = "x" * size
    event[part] = {"text": value if make is str else make(value, "ascii")}

    assert len(encode_json(event)) < 300 * 1024
    assert len(encode_msgpack(event)) < 300 * 1024


def test_large_arrays_are_cut_where_any_list_is(an_event):
    frame = pd.DataFrame({"a": np.arange(10**6), "b": np.arange(10**6)})
    for value in (np.zeros(10**7), np.zeros((1000, 1000)), frame, frame["a"]):
        assert len(encode_json(an_event({"value": value}))) < 2 * 2**20


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)
foreign = st.sampled_from(sorted(EXACT)).map(lambda name: EXACT[name][0])


@given(st.recursive(plain | foreign, lambda inner: st.lists(inner, max_size=3), max_leaves=6))
def test_the_normal_form_of_a_normal_form_is_itself(value):
    once = normalize(value)

    assert normalize(once) == once


@pytest.mark.parametrize("name", VALUES)
def test_so_it_is_with_hostile_values(name):
    once = normalize(VALUES[name]())

    assert normalize(once) == once


@given(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, min_size=2))
@pytest.mark.parametrize("of", [np.int64, Whole, str, lambda number: pd.Series([number])])
def test_distinct_ids_stay_distinct(of, ids):
    assert len({json.dumps(normalize(of(number))) for number in ids}) == len(ids)


@pytest.mark.parametrize("value", [5, 5.0, "5", np.int64(5), np.float64(5), Whole(5)])
def test_an_id_is_compared_by_its_text(value):
    assert id_text(value) == "5"


@given(st.integers() | st.just(10**5000))
def test_the_text_of_an_int_is_that_of_its_normal_form(number):
    assert id_text(number) == str(normalize(number))


@pytest.mark.parametrize("value", [None, True, [5], {"id": 5}, float("nan")])
def test_what_is_neither_text_nor_number_is_no_id(value):
    assert id_text(value) is None


def test_a_time_of_before_time_stood_still_is_in_utc_all_the_same(an_event):
    due = datetime(2026, 1, 1)  # noqa: DTZ001  the case
    with freeze_time("2020-01-02"):
        assert b'"2026-01-01T00:00:00Z"' in encode_json(an_event({"due": due}))
