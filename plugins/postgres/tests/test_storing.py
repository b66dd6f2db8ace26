"""Events in tables of a real server."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from faults import killed, lost_answers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sending import send

from eventtracking_core import EventType, RejectedError, RetryableError
from eventtracking_core.encoding import decode_json, encode_json
from eventtracking_core.testing import (
    EventStoreConformance,
    MetadataStoreConformance,
)
from eventtracking_postgres import PostgresBackend

pytestmark = pytest.mark.drivers


def ids(events):
    return [event["id"] for event in events]


def test_columns_hold_what_is_searched_for(a_store, schema, sql, an_event):
    event = an_event(context={"user_id": 7}, n=1) | {"name_id": "10ac28"}
    send(a_store(), event)
    columns = "id, name, timestamp, user_id, name_id, context_type_id, event, seq"
    assert sql(f"SELECT {columns} FROM {schema}.events") == [
        (
            *(event["id"], "shop.order.placed", event["timestamp"], "7", "10ac28", None),
            json.loads(encode_json(event)),
            1,
        )
    ]


def test_what_is_sent_again_is_stored_once_in_its_order(a_store, an_event):
    store = a_store()
    events = [an_event(n=n) for n in range(600)]
    store.send_batch(events[:300], timeout=60)
    store.send_batch(events + events[:10], timeout=60)
    assert ids(store.query(after="")) == ids(events)


@given(data=st.dictionaries(st.text(), st.integers() | st.text() | st.booleans() | st.none()))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_sent_is_read_as_the_encoding_says(a_store, an_event, data):
    event = an_event(value=data)
    store = a_store()
    send(store, event)
    text = encode_json(event)
    if b"\\u0000" not in text:
        assert store.get(event["id"]) == decode_json(text)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("a\0\0b", "a\ufffd\ufffdb"),
        (r"a\u0000b", r"a\u0000b"),
        ("\\\0", "\\\ufffd"),
        (2**70 + 1, 2**70 + 1),
        (0.1, 0.1),
        ("\ud800", "\ufffd"),
    ],
)
def test_a_value_is_stored_exactly_but_for_nul(a_store, an_event, value, stored):
    event = an_event(value=value)
    store = a_store()
    send(store, event)
    assert store.get(event["id"])["data"]["value"] == stored


def test_a_user_id_that_no_index_can_hold_is_stored(a_store, an_event):
    user = "".join(map(chr, range(0x4E00, 0x5200)))  # does not compress
    event = an_event(context={"user_id": user})
    store = a_store()
    send(store, event)
    assert store.get(event["id"]) == event
    assert store.count(where={"context.user_id": user}) == 1


def test_that_nul_was_replaced_is_logged(a_store, an_event, caplog):
    send(a_store(), an_event("with.nul", value="a secret\0"))
    assert "with.nul: PostgreSQL cannot store NUL" in caplog.text
    assert "secret" not in caplog.text


def test_what_the_server_cannot_store_is_rejected_alone(a_store, schema, sql, an_event):
    store = a_store()
    send(store, an_event())
    sql(f"ALTER TABLE {schema}.events ADD CHECK (event #>> '{{data,n}}' <> '3')")
    with pytest.raises(RejectedError, match="SQLSTATE 23514"):
        store.send_batch([an_event(n=n) for n in range(5)], timeout=60)
    assert store.count() == 1


def test_events_wait_for_a_table_that_cannot_store_any(a_store, schema, sql, an_event, caplog):
    store = a_store()
    send(store, an_event())
    sql(f"ALTER TABLE {schema}.events ADD further int NOT NULL DEFAULT 1")
    sql(f"ALTER TABLE {schema}.events ALTER further DROP DEFAULT, DROP CONSTRAINT events_pkey")
    with pytest.raises(RetryableError, match="23502; the table has columns"):
        send(a_store(), an_event())
    assert "no unique index on id" in caplog.text
    sql(f"ALTER TABLE {schema}.events RENAME TO part")
    sql(f"CREATE TABLE {schema}.events (LIKE {schema}.part) PARTITION BY LIST (name)")
    with pytest.raises(RetryableError, match="SQLSTATE 23"):
        send(store, an_event())


def test_text_is_sent_in_utf8_whatever_the_server_expects(postgres, a_store, schema, an_event):
    event = an_event("é", value="日本")
    store = PostgresBackend(f"{postgres.uri}?client_encoding=LATIN1", f"{schema}.events")
    send(store, event)
    store.shutdown(5)
    assert a_store().get(event["id"]) == event


def test_a_table_that_was_dropped_is_created_again(a_store, schema, sql, an_event):
    store = a_store()
    send(store, an_event())
    sql(f"DROP TABLE {schema}.events")
    with pytest.raises(RetryableError):
        send(store, an_event())
    send(store, an_event())
    assert store.count() == 1
    store.save_event_type(EventType(name="a"))
    sql(f"DROP TABLE {schema}.event_types")
    with pytest.raises(RetryableError):
        store.save_event_type(EventType(name="a"))
    store.save_event_type(EventType(name="a"))
    assert [found.name for found in store.load_event_types()] == ["a"]


def test_a_user_who_may_only_insert_can_send(postgres, a_store, schema, sql, an_event):
    send(a_store(), an_event())
    sql(f"CREATE ROLE {schema}_writer LOGIN")
    sql(f"GRANT USAGE ON SCHEMA {schema} TO {schema}_writer")
    sql(f"GRANT INSERT ON {schema}.events TO {schema}_writer")
    sql(f"REVOKE CREATE ON DATABASE postgres FROM {schema}_writer")
    uri = postgres.uri.replace("//postgres@", f"//{schema}_writer@")
    writer = PostgresBackend(uri, f"{schema}.events")
    try:
        send(writer, an_event())
    finally:
        writer.shutdown(5)
        sql(f"DROP OWNED BY {schema}_writer; DROP ROLE {schema}_writer")
    assert a_store().count() == 2


def test_months_are_partitions(a_store, schema, sql, an_event):
    store = a_store(partition="month")
    times = [
        datetime(2026, 12, 31, 23, 59, 59, 999999, UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
    ]
    events = [an_event(at=at) for at in times]
    store.send_batch(events, timeout=60)
    store.send_batch(events, timeout=60)
    assert ids(store.query()) == ids([events[2], events[0], events[1], events[3]])
    found = f"SELECT tableoid::regclass::text, count(*) FROM {schema}.events GROUP BY 1"
    assert dict(sql(found)) == {
        f"{schema}.events_2026_12": 1,
        f"{schema}.events_2027_01": 1,
        f"{schema}.events_other": 2,
    }


def test_a_month_whose_partition_cannot_be_created_is_in_the_default_partition(
    a_store, schema, sql, an_event, caplog
):
    event = an_event(at=datetime(2027, 5, 1, tzinfo=UTC))
    store = a_store(partition="month")
    send(store, an_event())
    columns = "id, name, timestamp, event"
    sql(f"INSERT INTO {schema}.events_other ({columns}) VALUES ('x', 'x', '2027-05-02', '{{}}')")
    send(store, event)
    send(a_store(), an_event(at=datetime(2027, 6, 1, tzinfo=UTC)))
    found = f"SELECT tableoid::regclass::text FROM {schema}.events WHERE id = %s"
    assert sql(found, event["id"]) == [(f"{schema}.events_other",)]
    assert "the partition events_2027_05 was not created" in caplog.text
    assert sql(f"SELECT count(*) FROM {schema}.events_2027_06") == [(1,)]


def test_two_processes_can_create_partitions_at_once(a_store, an_event):
    one, other = a_store(partition="month"), a_store(partition="month")
    events = [an_event(at=datetime(2020, month, 1, tzinfo=UTC)) for month in range(1, 13)]
    for event in events:
        send(one, event)
        send(other, event)
    assert one.count() == 12


def test_a_table_without_partitions_stays_so_and_that_is_logged(a_store, an_event, caplog):
    send(a_store(), an_event())
    store = a_store(partition="month")
    send(store, an_event())
    assert store.count() == 2
    assert "without partitions" in caplog.text


def test_a_reader_sees_no_event_before_those_that_were_stored_before(a_store, an_event):
    stores = [a_store() for _ in range(2)]
    sent = [an_event(n=n) for n in range(20)]
    for index, event in enumerate(sent):
        send(stores[index % 2], event)
    assert ids(stores[0].query(after=sent[4]["id"])) == ids(sent[5:])


def test_filters_have_indexes(a_store, schema, sql, an_event):
    send(a_store(), an_event(context={"user_id": 1}))
    indexes = sql("SELECT indexname FROM pg_indexes WHERE schemaname = %s", schema)
    assert {name for (name,) in indexes} >= {"events_by_user", "events_by_name", "events_by_seq"}


def test_reading_before_the_first_event_says_that_there_is_no_table(a_store):
    with pytest.raises(FileNotFoundError, match="no table of events here yet"):
        a_store().count()
    assert a_store().load_event_types() == []


def test_who_stops_reading_leaves_no_connection(a_store, an_event, sql):
    store = a_store()
    store.send_batch([an_event(n=n) for n in range(3000)], timeout=60)
    events = store.query()
    next(events)
    events.close()
    open_ = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE %s"
    assert sql(open_, "idle in transaction%") == [(0,)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"uri": "postgresql://user:a-password@[host"}, "uri"),
        ({"uri": "password=a-password nonsense"}, "uri"),
        ({"table": ""}, "table"),
        ({"table": "a.b.c"}, "table"),
        ({"table": "x" * 41}, "40 bytes"),
        ({"table": "event_types"}, "differ"),
        ({"partition": "day"}, "partition"),
        ({"views": ""}, "views"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, said):
    with pytest.raises(ValueError, match=said) as caught:
        PostgresBackend(**options)
    assert "a-password" not in str(caught.value)


def test_a_wrong_password_may_be_mended_and_is_not_told(an_event, postgres, sql):
    uri = postgres.uri.replace("//postgres@", "//nobody-there:a-password@")
    with pytest.raises(RetryableError, match="the login failed") as caught:
        send(PostgresBackend(uri), an_event())
    assert "a-password" not in str(caught.value)
    with pytest.raises(RetryableError, match="connection refused"):
        PostgresBackend("postgresql://127.0.0.1:1").probe(5)
    assert "PostgreSQL" in PostgresBackend(postgres.uri).probe(5)


class TestStore(EventStoreConformance):
    @pytest.fixture(autouse=True)
    def _server(self, postgres, schema, sql, fault_proxy):
        self.server, self.table, self.sql = postgres, f"{schema}.events", sql
        self.proxy = fault_proxy("127.0.0.1", postgres.port)

    def make_backend(self):
        uri = self.server.uri.replace(f":{self.server.port}", f":{self.proxy.port}")
        return PostgresBackend(uri, self.table)

    def make_unreachable(self):
        return PostgresBackend("postgresql://user:secret@127.0.0.1:1/events")

    def make_backend_at(self, port):
        return PostgresBackend(f"postgresql://user:{self.secret}@127.0.0.1:{port}/events")

    def refuse(self):
        self.sql(f"ALTER TABLE {self.table} ADD CHECK (event #>> '{{data,n}}' <> '37')")
        return True

    def faults(self):
        return [killed(self.server), killed(self.server), lost_answers(self.proxy, b"COMMIT")]


class TestMetadataStore(MetadataStoreConformance):
    @pytest.fixture(autouse=True)
    def _server(self, a_store):
        self.a_store = a_store

    def make_store(self):
        return self.a_store()
