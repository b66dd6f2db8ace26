"""Events in streams of a real server."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import UTC, datetime

import msgspec
import pytest
from redis import Redis

from eventtracking_core import RetryableError, Tracker
from eventtracking_core.encoding import decode_json
from eventtracking_core.events import new_id
from eventtracking_core.testing import BackendConformance
from eventtracking_redis import RedisBackend

pytestmark = pytest.mark.drivers


def an_event(**data):
    return {
        "id": new_id(),
        "name": "shop.order.placed",
        "timestamp": datetime.now(UTC),
        "context": {},
        "data": data,
    }


@pytest.fixture
def stream(redis_url):
    """A stream that no other test uses."""
    name = f"events-{new_id()}"
    yield name
    with Redis.from_url(redis_url) as client:
        client.delete(name)


@pytest.fixture
def entries(redis_url, stream):
    def read():
        with Redis.from_url(redis_url) as client:
            return [fields for _, fields in client.xrange(stream)]

    return read


def test_an_entry_has_the_event_and_what_consumers_filter_by(redis_url, stream, entries):
    event = an_event(n=1)
    RedisBackend(redis_url, stream).send_batch([event], timeout=60)
    (fields,) = entries()
    assert fields[b"id"].decode() == event["id"]
    assert fields[b"name"] == b"shop.order.placed"
    assert decode_json(fields[b"event"]) == event


def test_msgpack_is_smaller(redis_url, stream, entries):
    RedisBackend(redis_url, stream, format="msgpack").send_batch([an_event(n=1)], timeout=60)
    assert msgspec.msgpack.decode(entries()[0][b"event"])["data"] == {"n": 1}


def test_what_is_sent_again_is_stored_once_in_its_order(redis_url, stream, entries):
    backend = RedisBackend(redis_url, stream)
    events = [an_event(n=n) for n in range(600)]
    backend.send_batch(events[:300], timeout=60)
    backend.send_batch(events, timeout=60)
    assert [fields[b"id"].decode() for fields in entries()] == [event["id"] for event in events]


def test_the_stream_keeps_about_as_many_entries_as_configured(redis_url, stream, entries):
    backend = RedisBackend(redis_url, stream, max_length=100, remember=0)
    backend.send_batch([an_event(n=n) for n in range(2000)], timeout=60)
    assert 100 <= len(entries()) < 400


def test_a_key_that_is_no_stream_is_an_error_that_may_pass(redis_url, stream):
    with Redis.from_url(redis_url) as client:
        client.set(stream, "text")
    with pytest.raises(RetryableError, match=r"WRONGTYPE|ResponseError"):
        RedisBackend(redis_url, stream).send_batch([an_event()], timeout=60)


def test_a_server_that_says_nothing_is_left_in_time(stream):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://:a-password@127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(RetryableError) as caught:
            RedisBackend(url, stream).send_batch([an_event()], timeout=0.4)
    assert "a-password" not in str(caught.value)


def test_a_server_that_is_killed_and_restarted_loses_and_repeats_nothing(valkey):
    tracker = Tracker()
    tracker.configure(
        {
            "backends": {
                "stream": {
                    "type": "redis",
                    "url": valkey.url,
                    "delivery": {"mode": "queue", "initial_interval": 0.05, "max_interval": 0.2},
                }
            }
        }
    )
    emitted = [tracker.emit("numbered", {"n": n}) for n in range(500)]
    assert tracker.flush(60)
    valkey.kill()
    emitted += [tracker.emit("numbered", {"n": n}) for n in range(500, 1000)]
    assert not tracker.flush(0.2)
    valkey.start()
    assert tracker.flush(60)
    assert tracker.shutdown(60)
    with Redis.from_url(valkey.url) as client:
        stored = [fields[b"id"].decode() for _, fields in client.xrange("events")]
    assert stored == emitted


def test_a_server_that_evicts_is_reported(valkey, caplog):
    with Redis.from_url(valkey.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    RedisBackend(valkey.url).send_batch([an_event()], timeout=60)
    assert "allkeys-lru" in caplog.text


def test_a_user_who_may_only_append_can_send(valkey):
    with Redis.from_url(valkey.url) as client:
        rights = ["+xadd", "+evalsha", "+eval", "+script", "+exists", "+set"]
        client.acl_setuser("writer", enabled=True, passwords=["+pw"], keys=["*"], commands=rights)
        backend = RedisBackend(valkey.url.replace("redis://", "redis://writer:pw@"))
        backend.send_batch([an_event()], timeout=60)
        assert client.xlen("events") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "http://localhost"}, "url"),
        ({"url": "redis://:a/secret@localhost/0"}, "url must"),
        ({"url": "redis://localhost/secret"}, "url must"),
        ({"url": "redis://localhost?secret=1"}, "url must"),
        ({"remember": 0.5}, "remember must"),
        ({"stream": "", "max_length": 0}, "stream must .*\nmax_length must"),
        ({"stream": ""}, "stream"),
        ({"max_length": 0}, "max_length"),
        ({"format": "xml"}, "format"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, said):
    with pytest.raises(ValueError, match=said) as caught:
        RedisBackend(**options)
    assert "secret" not in str(caught.value)


def test_events_whose_ids_and_names_are_no_text_are_stored_with_the_others(
    redis_url, stream, entries
):
    unusual = [an_event() | {"name": "a\ud800"}, an_event() | {"name": 5}, an_event()]
    RedisBackend(redis_url, stream).send_batch(unusual, timeout=60)
    assert len(entries()) == 3


class TestConformance(BackendConformance):
    @pytest.fixture(autouse=True)
    def server(self, redis_url, stream, entries):
        self.url, self.stream, self.entries = redis_url, stream, entries

    def make_backend(self):
        return RedisBackend(self.url, self.stream)

    def make_unreachable(self):
        return RedisBackend("redis://127.0.0.1:1", self.stream)

    def stored(self, backend):
        return [{"id": fields[b"id"].decode()} for fields in self.entries()]


def test_a_fork_or_a_patch_meets_no_import_in_the_thread_that_delivers():
    """A module that such a thread was importing can't be imported any more afterwards."""
    program = (
        "import sys, eventtracking_core as et\n"
        "et.configure({'backends': {'sink': {'type': 'redis', 'url': 'redis://127.0.0.1:1'}}})\n"
        "before = {name for name in sys.modules if name.partition('.')[0] == 'redis'}\n"
        "et.emit('x')\n"
        "et.get_tracker().flush(1)\n"
        "after = {name for name in sys.modules if name.partition('.')[0] == 'redis'}\n"
        "assert 'redis.client' in before and after == before, after - before\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_a_failure_says_what_to_do(redis_url, stream):
    backend = RedisBackend("redis://127.0.0.1:1/0", stream)
    with pytest.raises(RetryableError, match="check url and the network"):
        backend.probe(5)
    with Redis.from_url(redis_url) as client:
        client.set(stream, "a text")
    backend = RedisBackend(redis_url, stream)
    with pytest.raises(RetryableError, match="the key that stream names is no stream"):
        backend.send_batch([an_event()], timeout=10)
    backend.shutdown(1)
