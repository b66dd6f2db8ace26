"""A Parquet file for each event type, with typed columns."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pyarrow import parquet

from eventtracking_core import EventType
from eventtracking_core.registry import FieldDoc
from eventtracking_objects import ObjectsBackend

CHECK = "edx.problem.check"
OWN = ["id", "name", "timestamp", "user_id", "name_id", "context_type_id", "event"]


@pytest.fixture
def store(directory):
    return ObjectsBackend(str(directory), "events", format="parquet")


@pytest.fixture
def tables(directory, keys):
    """Returns the tables, as any other program might read them."""

    def read():
        return [parquet.read_table(directory / key) for key in keys() if key.endswith(".parquet")]

    return read


def a_type(*fields, context=()):
    return EventType(name=CHECK, fields=fields, context_fields=context)


def fields(table):
    return {field.name: str(field.type) for field in table.schema if field.name not in OWN}


def test_a_documented_field_has_a_typed_column(store, tables, send, an_event):
    store.save_event_type(
        a_type(
            FieldDoc("attempts", type="integer"),
            FieldDoc("grade", type="number|null"),
            FieldDoc("answer.text", type="string"),
            FieldDoc("passed", type="boolean"),
            FieldDoc("tags", type="array"),
            FieldDoc("anything"),
            context=(FieldDoc("course_id", type="string"), FieldDoc("type_id", type="string")),
        )
    )
    data = {"attempts": 3, "answer": {"text": "42"}, "passed": True, "tags": ["a"]}
    context = {"course_id": "c1", "user_id": 7, "type_id": "t"}
    event = an_event(CHECK, context=context, **data)
    send(store, event)
    (table,) = tables()
    assert fields(table) == {
        "data_attempts": "int64",
        "data_grade": "double",
        "data_answer_text": "string",
        "data_passed": "bool",
        "context_course_id": "string",
        "context_type_id_string": "string",
    }
    (row,) = table.to_pylist()
    assert (row["id"], row["name"], row["timestamp"]) == (event["id"], CHECK, event["timestamp"])
    assert (row["user_id"], row["context_type_id"]) == ("7", None)
    assert (row["data_attempts"], row["data_grade"], row["data_passed"]) == (3, None, True)
    assert (row["context_course_id"], row["context_type_id_string"]) == ("c1", "t")
    assert list(store.query()) == [event]


def test_a_value_of_another_type_is_null_in_its_column(store, tables, send, an_event):
    store.save_event_type(a_type(FieldDoc("n", type="integer"), FieldDoc("x", type="number")))
    values = ("three", 2**70, 1.5, None, [1], True, 2.0, -(2**63))
    events = [an_event(CHECK, n=value, x=value) for value in values]
    send(store, *events)
    (table,) = tables()
    assert table["data_n"].to_pylist() == [None, None, None, None, None, None, 2, -(2**63)]
    assert table["data_x"].to_pylist()[1:4] == [float(2**70), 1.5, None]
    assert [event["data"]["n"] for event in store.query()] == list(values)


def test_a_type_that_changes_adds_columns_and_changes_none(directory, tables, send, an_event):
    first = ObjectsBackend(str(directory), "events", format="parquet")
    original = a_type(FieldDoc("a", type="integer"), FieldDoc("b", type="string"))
    first.save_event_type(original.at(datetime(2026, 9, 1, tzinfo=UTC), []))
    send(first, an_event(CHECK, a=1, b="x"))
    second = ObjectsBackend(str(directory), "events", format="parquet")  # of a later release
    changed = a_type(FieldDoc("b", type="string"), FieldDoc("a", type="string"))
    second.save_event_type(changed.at(datetime(2026, 10, 1, tzinfo=UTC), []))
    send(second, an_event(CHECK, a="1", b="y"), an_event(CHECK, a="2", b="z"))
    old, new = sorted(tables(), key=len)
    assert fields(old) == {"data_a": "int64", "data_b": "string"}
    assert fields(new) == {"data_a": "int64", "data_b": "string", "data_a_string": "string"}
    assert new["data_a_string"].to_pylist() == ["1", "2"]


def test_an_object_has_events_of_one_type(store, tables, send, an_event):
    send(store, an_event("a"), an_event("b"), an_event("a"))
    assert sorted(table["name"].to_pylist() for table in tables()) == [["a", "a"], ["b"]]


def test_names_that_differ_by_their_case_are_columns_of_their_own(store, tables, send, an_event):
    docs = (FieldDoc("User", type="string"), FieldDoc("user", type="string"))
    store.save_event_type(a_type(*docs, FieldDoc("the-user", type="string")))
    send(store, an_event(CHECK, User="A", user="b"))
    (table,) = tables()
    assert fields(table).keys() == {"data_User", "data_user_string", "data_the_user"}
