"""The typed columns of event types."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core.registry import Column, EventType, FieldDoc, typed_columns


def a_type(*fields, context=()):
    return EventType(name="shop.placed", fields=fields, context_fields=context)


def test_fields_of_one_type_have_columns_in_the_order_of_their_records():
    first = a_type(FieldDoc("sku", type="string"), FieldDoc("items", type="array"))
    second = a_type(
        FieldDoc("sku", type="integer"),
        FieldDoc("price.gross", type="number|integer|null"),
        FieldDoc("any"),
        context=(FieldDoc("org", type="string"),),
    )
    assert typed_columns([first, second], ()) == [
        Column("data_sku", "string", ("data", "sku")),
        Column("data_sku_integer", "integer", ("data", "sku")),
        Column("data_price_gross", "number", ("data", "price", "gross")),
        Column("context_org", "string", ("context", "org")),
    ]


def test_a_column_of_the_store_keeps_its_name():
    (column,) = typed_columns([a_type(FieldDoc("ID", type="string"))], ["data_id"])
    assert column.name == "data_ID_string"


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("string", "a", "a"),
        ("string", "\ud800", "?"),
        ("string", 5, None),
        ("integer", 5.0, 5),
        ("integer", True, None),
        ("integer", 2**63, None),
        ("number", 5, 5.0),
        ("number", 10**400, None),
        ("number", "5", None),
        ("boolean", True, True),
        ("boolean", 1, None),
    ],
)
def test_a_value_of_another_type_has_no_value_in_the_column(kind, value, found):
    assert Column("x", kind, ("data", "x")).value(an_event({"x": value})) == found


@given(
    st.dictionaries(
        st.sampled_from("abc"),
        st.none() | st.text() | st.dictionaries(st.sampled_from("abc"), st.none() | st.text()),
    )
)
def test_a_path_that_is_not_there_has_no_value(data):
    assert Column("x", "integer", ("data", "a", "b")).value(an_event(data)) is None


def an_event(data):
    time = datetime(2026, 9, 12, tzinfo=UTC)
    return {"id": "1", "name": "shop.placed", "timestamp": time, "context": {}, "data": data}
