"""Events as messages of a real broker."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from sending import send

from eventtracking_core import ConfigurationError, Tracker
from eventtracking_core.encoding import JsonBatch, decode_json, encode_json
from eventtracking_core.testing import BackendConformance
from eventtracking_kafka import KafkaBackend

pytestmark = pytest.mark.drivers


def headers(message):
    return {name: value.decode() for name, value in message.headers()}


def test_a_message_has_the_event_and_what_consumers_filter_by(a_backend, messages, an_event):
    event = an_event(context={"user_id": 7}, n=1) | {"name_id": "10ac28"}
    send(a_backend(key="context.user_id"), event)
    (message,) = messages()
    assert decode_json(message.value()) == event
    assert message.key() == b"7"
    assert message.timestamp()[1] == int(event["timestamp"].timestamp() * 1000)
    assert headers(message) == {
        "id": event["id"],
        "name": "shop.order.placed",
        "name_id": "10ac28",
        "content-type": "application/json",
    }


def test_messages_have_the_times_of_their_events(a_backend, messages, an_event):
    said = ["2026-09-12T12:55:00", "2026-09-12T12:55:00.000999", "2026-12-31T23:59:59.999999"]
    moments = [datetime.fromisoformat(f"{time}+00:00") for time in said]
    events = [an_event() | {"timestamp": moment} for moment in moments]
    a_backend(key="name").send_batch(JsonBatch(list(map(encode_json, events))), timeout=60)
    whole = [int(moment.timestamp()) * 1000 for moment in moments]
    assert [message.timestamp()[1] for message in messages()] == [
        whole[0],
        whole[1],
        whole[2] + 999,
    ]


def test_messages_of_one_key_are_in_one_partition_in_their_order(a_backend, messages, an_event):
    users = ["ann", "bob", "eve", None]
    events = [an_event(context={"user_id": users[n % 4]}, n=n) for n in range(400)]
    a_backend(key="context.user_id").send_batch(events, timeout=60)
    found = messages()
    for key in (b"ann", b"bob", b"eve"):
        of_key = [message for message in found if message.key() == key]
        numbers = [json.loads(message.value())["data"]["n"] for message in of_key]
        assert len(numbers) == 100
        assert numbers == sorted(numbers)
        assert len({message.partition() for message in of_key}) == 1
    assert sum(message.key() is None for message in found) == 100


def test_a_topic_may_have_fields(a_backend, messages, an_event, topic):
    backend = a_backend(topic=f"{topic}.{{name}}.{{context.org}}")
    backend.send_batch([an_event("a b/ä", context={"org": "mit"}), an_event("c")], timeout=60)
    assert len(messages(name=f"{topic}.a_b__.mit")) == 1
    assert len(messages(name=f"{topic}.c.none")) == 1


def test_msgpack_is_smaller(a_backend, messages, an_event):
    send(a_backend(format="msgpack"), an_event(n=1))
    (message,) = messages()
    assert msgspec.msgpack.decode(message.value())["data"] == {"n": 1}
    assert headers(message)["content-type"] == "application/msgpack"


def test_cloudevents_in_binary_mode(a_backend, messages, an_event):
    event = an_event(context={"a": 1}, n=2)
    send(a_backend(format="cloudevents", source="/shop"), event)
    (message,) = messages()
    found = headers(message)
    assert {name: value for name, value in found.items() if name.startswith("ce_")} == {
        "ce_specversion": "1.0",
        "ce_id": event["id"],
        "ce_source": "/shop",
        "ce_type": "shop.order.placed",
        "ce_time": "2026-09-12T12:55:00.123450Z",
    }
    assert found["content-type"] == "application/json"
    assert json.loads(message.value()) == {"context": {"a": 1}, "data": {"n": 2}}


def test_cloudevents_in_structured_mode(a_backend, messages, an_event):
    event = an_event(n=2)
    send(a_backend(format="cloudevents_structured"), event)
    (message,) = messages()
    assert headers(message)["content-type"].startswith("application/cloudevents+json")
    whole = json.loads(message.value())
    assert (whole["id"], whole["specversion"], whole["type"]) == (event["id"], "1.0", event["name"])
    assert whole["data"] == {"context": {}, "data": {"n": 2}}


def test_an_event_with_unusual_parts_is_a_message_as_any_other(a_backend, messages, an_event):
    parts = [{"id": 5}, {"name": "a\ud800"}, {"timestamp": datetime(2026, 9, 12)}, {"data": [1]}]  # noqa: DTZ001
    backend = a_backend(key="context.user_id")
    backend.send_batch(
        [an_event() | {"context": {"user_id": Silent()}} | unusual for unusual in parts], timeout=60
    )
    assert len(messages()) == 4


class Silent:
    def __str__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_any_compression_is_read(a_backend, messages, an_event, compression):
    a_backend(compression=compression).send_batch([an_event(n=n) for n in range(100)], timeout=60)
    assert len(messages()) == 100


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"servers": ""}, "servers"),
        ({"topic": ""}, "topic"),
        ({"topic": "a b"}, "topic"),
        ({"topic": "a.{name"}, "topic"),
        ({"topic": ".."}, "topic"),
        ({"max_message_bytes": 0}, "max_message_bytes must be from"),
        ({"servers": "", "key": "user"}, "servers must .*\nkey must"),
        ({"topic": "a.{user}"}, "field"),
        ({"key": "user"}, "field"),
        ({"format": "avro"}, "format"),
        ({"username": "ann"}, "belong together"),
        ({"certificate": "client.pem"}, "belong together"),
        ({"compression": "a-password"}, "compression"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, said):
    with pytest.raises(ValueError, match=said) as caught:
        KafkaBackend(**options)
    assert "a-password" not in str(caught.value)


@pytest.mark.parametrize(
    ("extra", "refused"),
    [
        ({"linger.msx": 5, "retries": 3}, {"linger.msx"}),
        ({"acks": "a-password", "linger.ms": -1}, {"acks", "linger.ms"}),
        ({"acks": 1, "bootstrap.servers": "127.0.0.1:1"}, {"acks"}),
        (
            {"acks": 1, "reconnect.backoff.ms": 20_000, "reconnect.backoff.max.ms": 30_000},
            {"acks"},
        ),
        ({"sasl.mechanism": "x"}, {"sasl.mechanism"}),
        (
            {"enable.idempotence": False, "linger.msx": 5},
            {"enable.idempotence", "linger.msx"},
        ),
    ],
)
def test_a_setting_that_librdkafka_refuses_is_a_problem_of_the_configuration(extra, refused):
    stream = {"type": "kafka", "username": "ann", "password": "a-password"}
    threads = len(list(Path("/proc/self/task").iterdir()))
    with pytest.raises(ConfigurationError) as caught:
        Tracker().configure({"backends": {"stream": stream | {"extra": extra}}})
    assert {problem.path for problem in caught.value.problems} == {
        f"backends.stream.extra.{name}" for name in refused
    }
    assert "a-password" not in str(caught.value)
    assert len(list(Path("/proc/self/task").iterdir())) <= threads


class Lasting(KafkaBackend):
    """A backend whose producer outlasts `shutdown`, because the next one takes half a second."""

    def shutdown(self, timeout):
        return self.flush(timeout)


class TestConformance(BackendConformance):
    @pytest.fixture(autouse=True)
    def _broker(self, kafka, topic, a_backend, messages):
        self.a_backend, self.messages = a_backend, messages
        self.lasting = Lasting(kafka.servers, topic, extra={"linger.ms": 0})
        self.made = None
        yield
        KafkaBackend.shutdown(self.lasting, 0)

    def test_takes_hostile_events(self):
        self.made = self.lasting
        super().test_takes_hostile_events()

    def make_backend(self):
        return self.made or self.a_backend(extra={"linger.ms": 0})

    def make_unreachable(self):
        return KafkaBackend("127.0.0.1:1", username="ann", password="a-password")

    def stored(self, backend):
        return [{"id": headers(message)["id"]} for message in self.messages()]
