"""Events in tables of a real engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from faults import killed, lost_answers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sending import send

from eventtracking_clickhouse import ClickHouseBackend
from eventtracking_core import EventType, RejectedError, RetryableError
from eventtracking_core.config import build, read
from eventtracking_core.encoding import decode_json, encode_json
from eventtracking_core.sources import open_reader
from eventtracking_core.testing import (
    EventStoreConformance,
    MetadataStoreConformance,
)

pytestmark = pytest.mark.drivers

SMALL = {"type": "clickhouse", "delivery": {"mode": "spool", "max_batch_size": 10}}


def ids(events):
    return [event["id"] for event in events]


def test_columns_hold_what_is_searched_for(a_store, database, sql, an_event):
    event = an_event(context={"user_id": 7}, n=1) | {"name_id": "10ac28"}
    send(a_store(), event)
    columns = "id, name, timestamp, user_id, name_id, context_type_id, event"
    assert sql(f"SELECT {columns} FROM {database}.events") == [
        [
            *(event["id"], "shop.order.placed", "2026-09-12 12:00:00.000000", "7", "10ac28", ""),
            encode_json(event).decode(),
        ]
    ]


def test_what_is_sent_again_is_stored_once(a_store, database, sql, an_event):
    store = a_store()
    events = [an_event(n=n) for n in range(600)]
    store.send_batch(events, timeout=60)
    store.send_batch(events, timeout=60)  # the server knows the token of this batch
    assert sql(f"SELECT count() FROM {database}.events") == [[600]]
    store.send_batch([*events[:10], an_event()], timeout=60)  # another batch
    assert ids(store.query())[:600] == ids(events)
    assert store.count() == 601


@given(data=st.dictionaries(st.text(), st.integers() | st.text() | st.booleans() | st.none()))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_sent_is_read_as_the_encoding_says(a_store, an_event, data):
    event = an_event(value=data)
    store = a_store()
    send(store, event)
    assert store.get(event["id"]) == decode_json(encode_json(event))


def test_times_out_of_the_range_of_the_column_keep_their_events(a_store, an_event):
    times = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)]
    events = [an_event(at=at) for at in times]
    store = a_store()
    store.send_batch(events, timeout=60)
    store.send_batch([events[1], events[0]], timeout=60)
    assert list(store.query()) == events


def test_a_batch_of_three_hundred_months_is_one_insert(a_store, an_event):
    months = [(year, month) for year in range(2000, 2025) for month in range(1, 13)]
    store = a_store()
    store.send_batch([an_event(at=datetime(*month, 1, tzinfo=UTC)) for month in months], timeout=60)
    assert store.count() == 300


def test_what_the_server_cannot_store_is_rejected(a_store, database, sql, an_event):
    store = a_store()
    send(store, an_event())
    check = "JSONExtractInt(event, 'data', 'n') != 3"
    sql(f"ALTER TABLE {database}.events ADD CONSTRAINT no_three CHECK {check}")
    with pytest.raises(RejectedError, match="code 469"):
        store.send_batch([an_event(n=n) for n in range(5)], timeout=60)
    assert store.count() == 1


def test_no_table_is_created_unless_that_is_asked_for(a_store, an_event, database, sql):
    store = a_store(create=False)
    with pytest.raises(RetryableError, match="eventtracking schema --for clickhouse"):
        send(store, an_event())
    assert sql(f"SHOW TABLES FROM {database}") == []
    for statement in store.definitions().split(";")[:-1]:
        sql(statement)
    send(store, an_event())
    assert store.count() == 1


def test_a_table_that_was_dropped_is_created_again(a_store, database, sql, an_event):
    store = a_store()
    send(store, an_event())
    sql(f"DROP TABLE {database}.events")
    with pytest.raises(RetryableError):
        send(store, an_event())
    send(store, an_event())
    assert store.count() == 1
    store.save_event_type(EventType(name="a"))
    sql(f"DROP TABLE {database}.event_types")
    with pytest.raises(RetryableError):
        store.save_event_type(EventType(name="a"))
    store.save_event_type(EventType(name="a"))
    assert [found.name for found in store.load_event_types()] == ["a"]


def test_events_after_an_event_come_in_the_order_of_their_ids(a_store, an_event):
    store = a_store()
    events = [an_event(at=datetime(2026, 1, 20 - n, tzinfo=UTC)) for n in range(5)]
    store.send_batch(events, timeout=60)
    assert ids(store.query()) == ids(events[::-1])
    assert ids(store.query(after=events[1]["id"])) == ids(events[2:])


def test_reading_before_the_first_event_says_that_there_is_no_table(a_store):
    with pytest.raises(FileNotFoundError, match="eventtracking schema"):
        a_store().count()
    assert a_store().load_event_types() == []


@pytest.mark.parametrize("value", ["{x:String}", "\\0", "\0", "'\\"])
def test_any_text_can_be_looked_for(a_store, an_event, value):
    store = a_store()
    store.send_batch([an_event(value=value), an_event(value="another")], timeout=60)
    assert store.count(where={"data.value": value}) == 1
    assert dict(store.count_by("data.value")) == {value: 1, "another": 1}


def test_a_uri_names_the_store_for_commands(a_store, clickhouse, database, an_event):
    event = an_event()
    send(a_store(), event)
    with open_reader([f"{clickhouse.uri}/{database}"]) as reader:
        assert list(reader.query()) == [event]


def test_a_batch_is_of_ten_thousand_events_or_of_a_second():
    tree = {"backends": {"store": {"type": "clickhouse"}, "small": SMALL}}
    store, small = build(read(tree)).root.leaves()
    assert (store.options.max_batch_size, store.options.schedule_delay) == (10_000, 1.0)
    assert (small.options.mode, small.options.max_batch_size) == ("spool", 10)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"uri": "http://user:a-password@host"}, "uri"),
        ({"uri": "clickhouse://user:a-password@[host"}, "uri"),
        ({"uri": "clickhouse://user:a-password@host:port"}, "uri"),
        ({"uri": "clickhouse://user:a-password@host/a/b"}, "uri"),
        ({"uri": "clickhouse://user:a-password@host/a?secure=1"}, "uri"),
        ({"table": ""}, "table"),
        ({"table": "a.b.c"}, "table"),
        ({"table": "a`b"}, "table"),
        ({"table": "event_types"}, "differ"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, said):
    with pytest.raises(ValueError, match=said) as caught:
        ClickHouseBackend(**options)
    assert "a-password" not in str(caught.value)


def test_a_wrong_password_may_be_mended_and_is_not_shown(an_event, clickhouse, caplog):
    uri = clickhouse.uri.replace("a-password", "a-secret")
    with pytest.raises(RetryableError, match="code 516; check user and password"):
        send(ClickHouseBackend(uri), an_event())
    with pytest.raises(RetryableError) as caught:
        ClickHouseBackend(uri).probe(5)
    assert "a-secret" not in f"{caught.value}{caplog.text}"
    assert "ClickHouse 2" in ClickHouseBackend(clickhouse.uri).probe(5)


def test_the_first_record_of_an_event_type_stays(a_store, database, sql):
    store = a_store()
    record = EventType(name="shop.order.placed", description="it's placed \\ \0 🎓")
    for _ in range(2):
        store.save_event_type(record)
    assert store.load_event_types() == [record]
    ((text,),) = sql(f"SELECT record FROM {database}.event_types")
    assert json.loads(text)["description"] == record.description


class TestStore(EventStoreConformance):
    deadline = 100.0  # hundreds of inserts, one after the other

    @pytest.fixture(autouse=True)
    def _server(self, a_store, clickhouse, database, sql, fault_proxy):
        self.a_store, self.server, self.sql = a_store, clickhouse, sql
        self.table = f"{database}.events"
        self.proxy = fault_proxy("127.0.0.1", clickhouse.port)

    def make_backend(self):
        uri = self.server.uri.replace(f":{self.server.port}", f":{self.proxy.port}")
        return ClickHouseBackend(uri, self.table, create=True)

    def make_unreachable(self):
        return ClickHouseBackend("clickhouse://user:secret@127.0.0.1:1/events")

    def make_backend_at(self, port):
        return ClickHouseBackend(f"clickhouse://user:{self.secret}@127.0.0.1:{port}/events")

    def refuse(self):
        check = "JSONExtractInt(event, 'data', 'n') != 37"
        self.sql(f"ALTER TABLE {self.table} ADD CONSTRAINT no_37 CHECK {check}")
        return True

    def faults(self):
        self.a_store().save_event_type(EventType(name="numbered"))  # creates the tables
        answers = lost_answers(self.proxy, b"FORMAT Native")
        return [killed(self.server), killed(self.server), answers]


class TestMetadataStore(MetadataStoreConformance):
    deadline = 100.0  # hundreds of inserts, one after the other

    @pytest.fixture(autouse=True)
    def _server(self, a_store):
        self.a_store = a_store

    def make_store(self):
        return self.a_store()
