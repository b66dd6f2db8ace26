"""Tables with typed columns, which a real engine fills from the table of events."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sending import send

from eventtracking_core import EventType
from eventtracking_core.registry import FieldDoc

PLACED = EventType(
    name="shop.order.placed",
    fields=(
        FieldDoc("sku", type="string"),
        FieldDoc("count", type="integer"),
        FieldDoc("price.gross", type="number"),
        FieldDoc("gift", type="boolean|null"),
        FieldDoc("items", type="array"),
    ),
    registered_at=datetime(2026, 9, 1, tzinfo=UTC),
)
TYPED = "events_shop.order.placed"


@pytest.fixture
def defined(a_store, sql):
    """Returns a backend after an operator ran the statements for event types."""

    def define(*event_types):
        store = a_store(create=False)
        for statement in store.definitions(event_types).split(";\n\n"):
            sql(statement.rstrip(";"))
        return store

    return define


def test_each_event_type_has_a_table_with_its_fields_typed(defined, sql, database, an_event):
    store = defined(PLACED)
    sent = an_event(
        context={"user_id": 7}, sku="a", count=2, price={"gross": 1.5}, gift=True, items=[1]
    )
    store.send_batch([sent, an_event("shop.other", sku="b")], timeout=60)
    assert sql(
        f"SELECT id, user_id, data_sku, data_count, data_price_gross, data_gift"
        f" FROM {database}.`{TYPED}`"
    ) == [[sent["id"], "7", "a", 2, 1.5, True]]
    columns = sql(
        f"SELECT name, type FROM system.columns WHERE table = '{TYPED}'"
        f" AND database = '{database}' AND name LIKE 'data_%'"
    )
    assert dict(columns) == {
        "data_sku": "Nullable(String)",
        "data_count": "Nullable(Int64)",
        "data_price_gross": "Nullable(Float64)",
        "data_gift": "Nullable(Bool)",
    }


def test_a_value_of_another_type_is_null(defined, sql, database, an_event):
    store = defined(PLACED)
    store.send_batch([an_event(sku=5, count="2", price=3, gift="yes"), an_event()], timeout=60)
    fields = "data_sku, data_count, data_price_gross, data_gift"
    assert sql(f"SELECT {fields} FROM {database}.`{TYPED}`") == [[None] * 4] * 2


def test_what_is_sent_again_is_there_once(defined, sql, database, an_event):
    store = defined(PLACED)
    events = [an_event(sku="a") for _ in range(20)]
    store.send_batch(events, timeout=60)
    store.send_batch(events, timeout=60)
    store.send_batch(events[:5], timeout=60)
    assert sql(f"SELECT count() FROM {database}.`{TYPED}` FINAL") == [[20]]


def test_the_statements_add_what_a_later_record_documents(defined, sql, database, an_event):
    send(defined(PLACED), an_event(sku="a"))
    later = EventType(
        name=PLACED.name,
        fields=(FieldDoc("sku", type="integer"), FieldDoc("colour", type="string")),
        registered_at=datetime(2026, 9, 2, tzinfo=UTC),
    )
    send(defined(PLACED, later), an_event(sku=1, colour="red"))
    assert sql(
        f"SELECT data_sku, data_sku_integer, data_colour FROM {database}.`{TYPED}` ORDER BY id"
    ) == [["a", None, None], [None, 1, "red"]]


@pytest.mark.parametrize("name", ["it's `quoted`\\", "ä b", "x" * 250])
def test_an_event_type_of_any_name_has_a_table(defined, sql, database, an_event, name):
    store = defined(EventType(name=name, fields=(FieldDoc("n", type="integer"),)))
    send(store, an_event(name, n=1))
    ((table,),) = sql(
        f"SELECT name FROM system.tables WHERE database = '{database}'"
        " AND name LIKE 'events_%' AND engine = 'ReplacingMergeTree'"
    )
    assert sql(f"SELECT data_n FROM {database}.`{table}`") == [[1]]
