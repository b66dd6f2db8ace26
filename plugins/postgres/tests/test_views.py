"""Views of event types: typed columns, which only grow."""

from __future__ import annotations

import pytest
from sending import send

from eventtracking_core import EventType
from eventtracking_core.registry import FieldDoc
from eventtracking_postgres.views import columns

CHECK = "edx.problem.check"


@pytest.fixture
def store(a_store, schema):
    return a_store(views=f"{schema}_types")


@pytest.fixture
def view(schema, sql):
    """Returns the rows of an event type's view, by column."""

    def read(name=CHECK):
        found = f'SELECT to_jsonb(v) FROM {schema}_types."{name}" v ORDER BY id'
        return [row for (row,) in sql(found)]

    return read


@pytest.fixture
def types(schema, sql):
    def read(name=CHECK):
        rows = sql(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            f"{schema}_types",
            name,
        )
        return rows[5:]

    return read


def a_type(*fields, name=CHECK, context=()):
    return EventType(name=name, fields=fields, context_fields=context)


def test_a_view_has_a_typed_column_for_each_field(store, view, types, an_event):
    store.save_event_type(
        a_type(
            FieldDoc("attempts", type="integer"),
            FieldDoc("grade", type="number|null"),
            FieldDoc("answer.text", type="string"),
            FieldDoc("passed", type="boolean"),
            FieldDoc("tags", type="array"),
            FieldDoc("anything"),
            FieldDoc("id", type="string"),
            context=(FieldDoc("course_id", type="string"),),
        )
    )
    assert types() == [
        ("attempts", "numeric"),
        ("grade", "numeric"),
        ("answer.text", "text"),
        ("passed", "boolean"),
        ("tags", "jsonb"),
        ("anything", "jsonb"),
        ("data.id", "text"),
        ("course_id", "text"),
    ]
    data = {"attempts": 3, "answer": {"text": "42"}, "passed": True, "tags": ["a"], "id": "x"}
    event = an_event(CHECK, context={"course_id": "c1", "user_id": 7}, **data)
    store.send_batch([event, an_event("another")], timeout=60)
    (row,) = view()
    assert (row["id"], row["user_id"], row["data.id"]) == (event["id"], "7", "x")
    assert (row["attempts"], row["grade"], row["answer.text"]) == (3, None, "42")
    assert (row["passed"], row["tags"], row["course_id"]) == (True, ["a"], "c1")


def test_a_value_of_another_type_breaks_no_query(store, view, an_event):
    store.save_event_type(a_type(FieldDoc("attempts", type="integer")))
    for value in ("three", 2**70, 1.5, None, [1]):
        send(store, an_event(CHECK, attempts=value))
    assert [row["attempts"] for row in view()] == [None, 2**70, 1.5, None, None]


def test_a_view_grows_and_loses_nothing(store, types):
    store.save_event_type(a_type(FieldDoc("a", type="integer"), FieldDoc("b", type="string")))
    store.save_event_type(a_type(FieldDoc("c", type="string"), FieldDoc("b", type="string")))
    store.save_event_type(a_type(FieldDoc("a", type="string")))
    assert types() == [("a", "numeric"), ("b", "text"), ("c", "text"), ("data.a", "text")]


def test_records_of_a_field_and_its_types_make_no_column_twice(store, types):
    for kind in ("integer", "string", "boolean", "array", "integer"):
        store.save_event_type(a_type(FieldDoc("a", kind, type=kind)))
    assert types() == [
        ("a", "numeric"),
        ("data.a", "text"),
        ("data.a (boolean)", "boolean"),
        ("data.a (jsonb)", "jsonb"),
    ]


def test_columns_of_tables_that_exist_keep_their_names():
    first = a_type(FieldDoc("A.b", type="string"), FieldDoc("a.b", type="number|integer"))
    second = a_type(
        FieldDoc("a.b", type="string"),
        FieldDoc("a\0", type="boolean|null"),
        FieldDoc("x" * 64),
        context=(FieldDoc("user_id", type="string"), FieldDoc("a.b", type="string")),
    )
    long = f"{'x' * 52}…7ce10097"
    assert columns([first, second]) == {
        (("data", "A", "b"), "text"): "A.b",
        (("data", "a", "b"), "numeric"): "a.b",
        (("data", "a", "b"), "text"): "data.a.b",
        (("data", "a\ufffd"), "boolean"): "a\ufffd",
        (("data", "x" * 64), "jsonb"): long,
        (("context", "user_id"), "text"): "context.user_id",
        (("context", "a", "b"), "text"): "context.a.b",
    }


def test_a_view_that_was_replaced_by_hand_stays_unchanged(store, schema, sql, types, caplog):
    store.save_event_type(a_type(FieldDoc("a", type="integer")))
    sql(f'DROP VIEW {schema}_types."{CHECK}"')
    sql(f'CREATE VIEW {schema}_types."{CHECK}" AS SELECT 1 AS mine')
    store.save_event_type(a_type(FieldDoc("b", type="integer")))
    assert sql(f'SELECT mine FROM {schema}_types."{CHECK}"') == [(1,)]
    assert "was not changed" in caplog.text


@pytest.mark.parametrize(
    "name", ["Ärger\n", "'; DROP TABLE events; --", '"', "{}", "%s", "100%", "a.b", "x" * 64]
)
def test_any_name_can_have_a_view(store, schema, sql, an_event, name):
    store.save_event_type(a_type(FieldDoc(name, type="string"), name=name))
    send(store, an_event(name))
    (view,) = sql("SELECT viewname FROM pg_views WHERE schemaname = %s", f"{schema}_types")[0]
    quoted = view.replace('"', '""')
    assert sql(f'SELECT count(*) FROM {schema}_types."{quoted}"') == [(1,)]


def test_long_names_that_begin_alike_stay_apart(store, schema, sql):
    for end in ("one", "two"):
        store.save_event_type(a_type(name="ä" * 60 + end))
    assert sql("SELECT count(*) FROM pg_views WHERE schemaname = %s", f"{schema}_types") == [(2,)]


def test_without_the_option_there_are_no_views(a_store, sql, schema):
    a_store().save_event_type(a_type(FieldDoc("a", type="integer")))
    assert sql("SELECT count(*) FROM pg_views WHERE schemaname LIKE %s", f"{schema}%") == [(0,)]
