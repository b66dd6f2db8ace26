"""What is warned of, how often, and that the event is delivered all the same."""

from __future__ import annotations

import socket
from collections import UserDict
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.validation.schema import data_schema
from eventtracking_core.validation.violations import mismatches, unencodable

NAME = "edx.problem.check"
FIELDS = {
    "problem_id": et.FieldDoc("problem_id", "Which problem", "string"),
    "attempts": et.FieldDoc("attempts", "How often", "integer", required=False),
    "grade": et.FieldDoc("grade", "How good", "number|null", required=False),
    "mode": et.FieldDoc("mode", "", "string", required=False, enum=("exam", "practice")),
    "answers": et.FieldDoc("answers", "", "array", required=False),
    "answers.id": et.FieldDoc("answers.id", "", "string"),
    "user": et.FieldDoc("user", "", "object", required=False),
    "user.tags": et.FieldDoc("user.tags", "", required=False),
}


@pytest.fixture
def tracker(memory):
    tracker = et.Tracker({"memory": memory})
    tracker.register(NAME, "A problem was checked.", FIELDS)
    return tracker


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"problem_id": "p1", "colour": "red"}, ("unknown_field", "colour")),
        ({}, ("missing_field", "problem_id")),
        ({"problem_id": 3}, ("type_mismatch", "problem_id")),
        ({"problem_id": None}, ("type_mismatch", "problem_id")),
        ({"problem_id": "p1", "attempts": True}, ("type_mismatch", "attempts")),
        ({"problem_id": "p1", "attempts": 1.5}, ("type_mismatch", "attempts")),
        ({"problem_id": "p1", "mode": "party"}, ("type_mismatch", "mode")),
        ({"problem_id": "p1", "mode": []}, ("type_mismatch", "mode")),
        ({"problem_id": "p1", "answers": [{"id": "a"}, {}]}, ("missing_field", "answers.id")),
        ({"problem_id": "p1", "answers": [{"id": 1}]}, ("type_mismatch", "answers.id")),
        ({"problem_id": "p1", "user": {"x": 1}}, ("unknown_field", "user.x")),
        ({"problem_id": "p1", "user": {"tags": object()}}, ("not_serializable", "user.tags")),
        ({"problem_id": "p" * 70_000}, ("too_large", None)),
    ],
)
def test_each_problem_is_warned_of_and_the_event_delivered(
    tracker, memory, warnings, data, problem
):
    code, field = problem
    tracker.emit(NAME, data)

    assert warnings() == [(code, NAME, field)]
    assert tracker.stats()["warnings"] == {code: 1}
    assert memory.events[0]["data"] == data
    assert memory.events[0]["name_id"] == tracker.event_types.get(NAME).id


@pytest.mark.parametrize(
    "data",
    [
        {"problem_id": "p1"},
        {"problem_id": "p1", "attempts": 3, "grade": 1.5, "mode": "exam"},
        {"problem_id": "p1", "attempts": 3.0, "grade": 1},
        {"problem_id": "p1", "grade": None, "answers": ({"id": "a"},), "user": {}},
        {"problem_id": datetime.now(UTC), "grade": 2},
        {"problem_id": Decimal("1.5")},
        {"problem_id": b"raw", "user": {"tags": {"a", "b"}}},
        UserDict(problem_id="p1"),
    ],
)
def test_what_is_as_registered_is_not_warned_of(tracker, memory, data):
    tracker.emit(NAME, data)

    assert tracker.stats()["warnings"] == {}
    assert len(memory.events) == 1


def test_a_problem_is_logged_once_and_counted_each_time(tracker, warnings):
    for _ in range(3):
        tracker.emit(NAME, {"problem_id": "p1", "colour": "red"})
    tracker.emit(NAME, {"problem_id": "p1", "size": "xl"})

    assert warnings() == [("unknown_field", NAME, "colour"), ("unknown_field", NAME, "size")]
    assert tracker.stats()["warnings"] == {"unknown_field": 4}


def test_no_value_is_ever_logged(tracker, caplog):
    tracker.emit(NAME, {"problem_id": 271828, "mode": "hunter2", "user": {"x": "hunter2"}})

    assert len(caplog.records) == 3
    assert not any(value in caplog.text for value in ("hunter2", "271828"))


def test_a_field_name_cannot_forge_a_line_of_the_log(tracker, caplog):
    tracker.emit(NAME, {"problem_id": "p1", "a\nWARNING forged": 1})

    assert "\n" not in caplog.records[0].getMessage()


def test_an_unregistered_name_is_warned_of_once_any_is_registered(memory, warnings):
    tracker = et.Tracker({"memory": memory})
    tracker.emit("edx.other")
    tracker.register(NAME)
    tracker.emit("edx.other")
    tracker.emit("edx.other")

    assert warnings() == [("unregistered", "edx.other", None)]
    assert "name_id" not in memory.events[-1]
    assert tracker.stats()["warnings"] == {"unregistered": 2}


def test_what_has_no_form_in_json_is_warned_of_in_any_event(tracker, warnings):
    tracker.emit("edx.other", {"a": {"b": socket.socket}})

    assert warnings()[1:] == [("not_serializable", "edx.other", "a.b")]


def test_context_that_every_such_event_has_may_not_be_missing(memory, warnings):
    tracker = et.Tracker({"memory": memory})
    tracker.register(NAME, "", {}, {"user_id": "Who", "ip": et.FieldDoc("ip", required=False)})
    with tracker.context("request", {"user_id": 1, "host": "a"}):
        tracker.emit(NAME)
    assert warnings() == []

    tracker.emit(NAME)
    assert warnings() == [("missing_field", NAME, "context.user_id")]


def test_a_schema_that_welcomes_other_fields_lets_them_be(memory):
    tracker = et.Tracker({"memory": memory}, strict=True)
    inner = {"type": "object", "additionalProperties": {"type": "string"}}
    schema = {"properties": {"labels": inner}, "additionalProperties": True}
    tracker.register(NAME, schema=schema)
    tracker.emit(NAME, {"labels": {"a": "b"}, "anything": 1})

    assert len(memory.events) == 1


def test_a_key_with_a_dot_may_be_the_field_of_that_name(tracker, memory):
    tracker.register("edx.dotted", "", {"user.id": "Who"})
    tracker.emit("edx.dotted", {"user.id": 1})
    tracker.emit("edx.dotted", {"user": {"id": 1}})

    assert tracker.stats()["warnings"] == {}


def test_a_type_that_is_registered_anew_is_checked_anew(tracker, memory):
    tracker.emit(NAME, {"problem_id": "p1"})
    tracker.register(NAME, "", {"colour": "Which"})
    tracker.emit(NAME, {"colour": "red"})

    assert tracker.stats()["warnings"] == {}
    assert memory.events[0]["name_id"] != memory.events[1]["name_id"]


def test_a_strict_tracker_raises_what_would_be_a_warning(memory):
    tracker = et.Tracker({"memory": memory}, strict=True)
    tracker.emit("edx.other")
    tracker.register(NAME, "", FIELDS)
    for name, data, code in [
        ("edx.other", {}, "not registered"),
        (NAME, {}, "problem_id: is missing"),
        (NAME, {"problem_id": "p" * 70_000}, "max_event_size"),
    ]:
        with pytest.raises(et.InvalidEventError, match=code):
            tracker.emit(name, data)

    assert len(memory.events) == 1


@pytest.mark.parametrize("kind", ["lying", "text", "unprintable"])
def test_hostile_values_do_not_lose_the_event(tracker, memory, hostile, kind):
    value = getattr(hostile, kind)
    with tracker.context("request", {"value": value}):
        tracker.emit(NAME, {"problem_id": value, "user": {"tags": [value]}, "answers": value})

    assert len(memory.events) == 1


def test_data_without_end_are_too_large_at_once(tracker, memory):
    endless = {"problem_id": "p1", "user": {}}
    endless["user"]["tags"] = endless
    tracker.emit(NAME, endless)

    assert len(memory.events) == 1
    assert "too_large" in tracker.stats()["warnings"]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@pytest.mark.slow
@given(
    st.dictionaries(st.sampled_from([*FIELDS, "colour"]), VALUES, max_size=6),
)
def test_a_glance_and_a_close_look_find_the_same(data):
    tracker = et.Tracker({"memory": MemoryBackend()})
    record = tracker.register(NAME, "A problem was checked.", FIELDS)
    tracker.emit(NAME, data)

    warned = tracker.stats()["warnings"]
    found = [*mismatches(data_schema(record), data), *unencodable(data)]
    assert set(warned) == {violation.code for violation in found}
