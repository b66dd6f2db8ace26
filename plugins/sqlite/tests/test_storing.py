"""What is sent is stored, once, as it was."""

from __future__ import annotations

import stat
from collections import deque
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.encoding import decode_json, encode_json
from eventtracking_sqlite import SqliteBackend

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner)
)


def a_cycle():
    loop = {}
    loop["self"] = loop
    return loop


def deep(levels):
    value = {}
    for _ in range(levels):
        value = {"a": value}
    return value


HOSTILE = {
    "nan": float("nan"),
    "big int": 2**70,
    "int without end": 10**5000,
    "decimal": Decimal("0.1000"),
    "lone surrogate": "\ud800",
    "nul": "a\0b",
    "ansi": "\x1b[31mred\r\n\u2028",
    "a mebibyte": "x" * 2**20,
    "bytes": b"\xff\0",
    "deque": deque([1, 2]),
    "generator": (number for number in range(3)),
    "object": object(),
    "uuid": uuid4(),
    "naive datetime": datetime(2026, 1, 1),  # noqa: DTZ001  that is the case
    "cycle": a_cycle(),
    "900 levels": deep(900),
    "10,000 levels": deep(10_000),
    "keys that are not text": {1: "a", None: "b", (1, 2): "c"},
    "quotes": "'); DROP TABLE events; --",
}


def test_an_event_sent_twice_is_stored_once(store, an_event):
    event = an_event()
    store.send(event)
    store.send(event | {"data": {}})
    store.send_batch([event, an_event(), event], timeout=60)
    assert store.count() == 2
    assert store.get(event["id"]) == event


def test_an_empty_batch_stores_nothing(store):
    store.send_batch([], timeout=60)
    assert store.count() == 0


def test_the_configuration_finds_the_type_by_name(path):
    tracker = et.Tracker()
    tracker.configure({"backends": {"store": {"type": "sqlite", "path": str(path)}}})
    event_id = tracker.emit("edx.problem.check", {"attempts": 3})
    assert tracker.shutdown(60)
    assert SqliteBackend(str(path)).get(event_id)["data"] == {"attempts": 3}


def test_only_the_owner_may_read_the_file_and_those_beside_it(store, path, an_event):
    store.send(an_event())
    assert [stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()] == [0o600] * 3
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_nothing_is_opened_before_the_first_event(store, path):
    assert store.flush(1)
    assert store.shutdown(1)
    assert not path.parent.exists()


def test_a_relative_path_is_that_of_the_start(tmp_path, monkeypatch, an_event):
    monkeypatch.chdir(tmp_path)
    store = SqliteBackend("events.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.send(an_event())
    store.shutdown(5)
    assert (tmp_path / "events.db").exists()


def test_a_path_may_have_signs_that_mean_something_in_an_address(tmp_path, an_event):
    store = SqliteBackend(str(tmp_path / "a?mode=memory#b%20 c.db"))
    store.send(an_event())
    assert store.count() == 1
    store.shutdown(5)
    assert Path(tmp_path / "a?mode=memory#b%20 c.db").exists()


def test_columns_hold_what_is_searched_for(store, sql, an_event):
    at = datetime(2026, 9, 12, 14, 55, tzinfo=timezone(timedelta(hours=2)))
    event = an_event(at=at, user_id=10938, name_id="10ac28", context_type_id="11bd88")
    store.send(event)
    columns = "id, name, timestamp, user_id, name_id, context_type_id, typeof(event)"
    assert sql(f"SELECT {columns} FROM events") == [
        (
            event["id"],
            "edx.problem.check",
            "2026-09-12T12:55:00.000000Z",
            "10938",
            "10ac28",
            "11bd88",
            "text",
        )
    ]


@pytest.mark.parametrize(
    ("user_id", "column"),
    [
        (7, "7"),
        ("7", "7"),
        (2**70, str(2**70)),
        (None, None),
        ("", None),
        (True, None),
        ([7], None),
    ],
)
def test_a_user_is_the_text_of_an_id(store, sql, an_event, user_id, column):
    store.send(an_event(context={"user_id": user_id}))
    assert sql("SELECT user_id FROM events") == [(column,)]


@given(timestamp=st.datetimes(timezones=st.just(UTC)), other=st.datetimes(timezones=st.just(UTC)))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_sorts_as_time_does(store, an_event, timestamp, other):
    events = [an_event("sorted", at=timestamp), an_event("sorted", at=other)]
    store.send_batch(events, timeout=60)
    times = [event["timestamp"] for event in store.query(name="sorted")]
    assert times == sorted(times)
    assert timestamp in times


@pytest.mark.once
@given(data=st.dictionaries(st.text(), values))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_read_as_the_encoding_says(store, sql, an_event, data):
    event = an_event(data=data)
    store.send_batch([event], timeout=60)
    assert store.get(event["id"]) == decode_json(encode_json(event))
    assert sql("SELECT json_valid(event) FROM events WHERE id = ?", event["id"]) == [(1,)]


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_value_is_stored_and_read(store, sql, an_event, value):
    alone, among_others = an_event(data={"value": value}), an_event(context={"value": value})
    store.send(alone)
    store.send_batch([an_event(), among_others, an_event()], timeout=60)
    assert store.count() == 4
    assert store.get(alone["id"])["data"].keys() == {"value"}
    assert store.get(among_others["id"])["context"].keys() == {"value"}
    assert sql("SELECT min(json_valid(event)) FROM events") == [(1,)]


@pytest.mark.parametrize(
    "fields",
    [
        {"id": 5},
        {"id": "\ud800"},
        {"name": None},
        {"timestamp": "yesterday"},
        {"timestamp": "0001-01-01T00:00:00+14:00"},
        {"timestamp": datetime(2026, 1, 1)},  # noqa: DTZ001  that is the case
        {"context": None},
        {"data": [1, 2]},
        {"name_id": 5},
    ],
    ids=str,
)
def test_an_event_with_a_wrong_field_is_stored_and_read(store, an_event, fields):
    store.send(an_event() | fields)
    assert [event["data"] for event in store.query()] in (
        [{"problem_id": "p1"}],
        [{"value": [1, 2]}],
    )


def test_big_numbers_keep_every_digit(store, an_event):
    event = an_event(data={"big": 2**70 + 1, "negative": -(2**64)})
    store.send(event)
    assert store.get(event["id"])["data"] == event["data"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": ""}, "path must name a file"),
        ({"path": ":memory:"}, "path must name a file"),
        ({"path": "e.db", "synchronous": "off"}, "synchronous must be normal or full"),
        ({"path": "e.db", "busy_timeout": -1}, "busy_timeout must not be negative"),
        ({"path": "e.db", "busy_timeout": float("nan")}, "busy_timeout must not be negative"),
    ],
)
def test_an_option_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SqliteBackend(**options)


def test_full_durability_can_be_asked_for(path, an_event):
    store = SqliteBackend(str(path), synchronous="full")
    store.send(an_event())
    store.shutdown(5)
    assert store.count() == 1
