"""Events in the wire format of Confluent's schema registry, on a real broker."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import fastavro
import pytest
from schema_registry import schema_registry
from sending import send

from eventtracking_core import BatchError, EventType, RejectedError, RetryableError, Tracker
from eventtracking_core.encoding import decode_json
from eventtracking_core.registry import FieldDoc
from eventtracking_kafka import KafkaBackend

PLACED = EventType(
    name="shop.order.placed",
    fields=(FieldDoc("sku", type="string"), FieldDoc("price.gross", type="number")),
    registered_at=datetime(2026, 9, 1, tzinfo=UTC),
)


@pytest.fixture
def registry():
    """A registry without schemas."""
    with schema_registry() as stub:
        yield stub


@pytest.fixture
def a_sender(a_backend, registry):
    """Makes backends that use the registry."""
    return lambda form: a_backend(format=form, schema_registry=registry.url)


def parts(message):
    """Return the schema's id and what follows it."""
    value = message.value()
    assert value[:1] == b"\0"
    return int.from_bytes(value[1:5]), value[5:]


def read_avro(registry, message, reader=None):
    """Return a record as a consumer reads it, by the schema of the message's id."""
    key, data = parts(message)
    schema = fastavro.parse_schema(json.loads(registry.schemas[key]["schema"]))
    return fastavro.schemaless_reader(io.BytesIO(data), schema, reader)


def test_a_value_in_json_names_the_schema_of_its_event_type(a_sender, registry, messages, an_event):
    sender = a_sender("json_schema")
    sender.save_event_type(PLACED)
    event = an_event(sku="a", price={"gross": 1.5})
    send(sender, event)
    (message,) = messages()
    key, data = parts(message)
    assert decode_json(data) == event
    schema = registry.schemas[key]
    assert (schema["subject"], schema["schemaType"]) == ("shop.order.placed", "JSON")
    whole = json.loads(schema["schema"])
    assert whole["properties"]["data"]["properties"]["sku"] == {"type": "string"}
    assert set(whole["required"]) <= json.loads(data).keys()


def test_a_record_of_avro_has_the_documented_fields_and_the_whole_event(
    a_sender, registry, messages, an_event
):
    sender = a_sender("avro")
    sender.save_event_type(PLACED)
    event = an_event(context={"user_id": 7}, sku="a", price={"gross": 2}, colour="red")
    send(sender, event)
    (message,) = messages()
    record = read_avro(registry, message)
    assert decode_json(record.pop("event")) == event
    assert record == {
        "id": event["id"],
        "name": "shop.order.placed",
        "timestamp": event["timestamp"],
        "user_id": "7",
        "name_id": None,
        "context_type_id": None,
        "data_sku": "a",
        "data_price_gross": 2.0,
    }


def test_a_field_that_is_documented_later_is_null_in_earlier_messages(
    a_sender, registry, messages, an_event
):
    sender = a_sender("avro")
    sender.save_event_type(PLACED)
    send(sender, an_event(sku="a"))
    sender.save_event_type(EventType(name=PLACED.name, fields=(FieldDoc("colour", type="string"),)))
    send(sender, an_event(sku="b", colour="red"))
    first, second = registry.versions("shop.order.placed")
    latest = fastavro.parse_schema(json.loads(registry.schemas[second]["schema"]))
    found = [read_avro(registry, message, latest) for message in messages()]
    read = sorted((record["data_sku"], record["data_colour"]) for record in found)
    assert read == [("a", None), ("b", "red")]
    assert registry.requests == 2
    assert first != second


@pytest.mark.parametrize("form", ["json_schema", "avro"])
def test_event_types_of_any_name_have_a_schema(a_sender, registry, messages, an_event, form):
    names = ["unknown", "a b/ä", "1.2", ".", "it's", "x" * 250]
    sender = a_sender(form)
    for name in names:
        sender.save_event_type(EventType(name=name))
    sender.send_batch([an_event(name) for name in names], timeout=60)
    assert len({parts(message)[0] for message in messages()}) == len(names)
    subjects = {schema["subject"] for schema in registry.schemas.values()}
    assert len(subjects) == len(names)


def test_events_without_a_type_share_a_schema(a_sender, registry, messages, an_event):
    a_sender("avro").send_batch([an_event(f"page.{n}") for n in range(50)], timeout=60)
    assert [schema["subject"] for schema in registry.schemas.values()] == ["eventtracking.event"]
    assert {read_avro(registry, message)["name"] for message in messages()} >= {"page.0", "page.49"}


def test_while_the_registry_fails_nothing_is_sent(a_sender, registry, messages, an_event):
    sender = a_sender("avro")
    registry.status = 503
    with pytest.raises(RetryableError, match="status 503"):
        sender.send_batch([an_event() for _ in range(20)], timeout=60)
    assert registry.requests == 1
    registry.status, registry.first_id = 200, 2**31  # no id of a schema
    with pytest.raises(RetryableError, match="did not register a schema"):
        send(sender, an_event())
    registry.schemas.clear()
    registry.first_id = 1
    send(sender, an_event())
    registry.status = 503
    send(sender, an_event())  # its schema has an id
    assert len(messages()) == 2


def test_an_event_whose_schema_is_rejected_does_not_hold_up_others(
    a_sender, registry, messages, an_event
):
    registry.rejected["shop.other"] = 409
    sender = a_sender("json_schema")
    sender.save_event_type(EventType(name="shop.other"))
    with pytest.raises(BatchError) as caught:
        sender.send_batch([an_event(), an_event("shop.other")], timeout=60)
    assert list(caught.value.failures) == [1]
    assert isinstance(caught.value.failures[1], RejectedError)
    assert len(messages()) == 1


def test_a_login_that_is_refused_is_not_shown(a_backend, registry, an_event):
    url = registry.url.replace("a%20secret", "hush")
    with pytest.raises(RetryableError, match="status 401") as caught:
        send(a_backend(format="avro", schema_registry=url), an_event())
    assert "hush" not in str(caught.value)


def test_a_probe_reaches_the_registry_too(a_sender, a_backend, registry):
    assert a_sender("avro").probe(10) == "the cluster answers (1 broker), and the schema registry"
    refused = registry.url.replace("a%20secret", "hush")
    for url, says in ((refused, "status 401"), ("http://u:hush@127.0.0.1:1", "cannot be reached")):
        with pytest.raises(RetryableError, match=says) as caught:
            a_backend(format="avro", schema_registry=url).probe(10)
        assert "hush" not in str(caught.value)


def test_event_types_that_are_registered_reach_the_registry(
    kafka, registry, topic, messages, tmp_path
):
    sink = {"type": "kafka", "servers": kafka.servers, "topic": topic, "format": "avro"}
    delivery = {"directory": str(tmp_path)}
    tracker = Tracker()
    tracker.configure(
        {"backends": {"k": sink | {"schema_registry": registry.url, "delivery": delivery}}}
    )
    tracker.register("shop.order.placed", "An order", {"sku": "what was bought"})
    tracker.emit("shop.order.placed", {"sku": "a"})
    assert tracker.shutdown(30)
    (message,) = messages()
    record = read_avro(registry, message)
    assert json.loads(record["event"])["data"] == {"sku": "a"}
    assert record["name_id"]


@pytest.mark.parametrize(
    "options",
    [
        {"format": "avro"},
        {"schema_registry": "http://registry:8081"},
        {"format": "avro", "schema_registry": "registry:8081"},
        {"format": "avro", "schema_registry": "ftp://registry"},
        {"format": "avro", "schema_registry": "http://registry:100000"},
        {"format": "avro", "schema_registry": "http://[registry"},
    ],
)
def test_format_and_registry_belong_together(options):
    with pytest.raises(ValueError, match="schema_registry"):
        KafkaBackend(**options)
