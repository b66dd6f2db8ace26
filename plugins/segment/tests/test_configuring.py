"""Its options, its secrets, and its life in processes, threads and trees."""

from __future__ import annotations

import logging
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from segment import analytics

from eventtracking_core import BatchError, ConfigurationError, RetryableError, Tracker
from eventtracking_segment import SegmentBackend


@pytest.fixture
def application(monkeypatch):
    """The settings that an application makes in `segment.analytics`."""

    def configure(**settings):
        for name, value in settings.items():
            monkeypatch.setattr(analytics, name, value)

    configure(write_key=None, host=None)
    return configure


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"write_key": ""}, "write_key"),
        ({"write_key": "a\nb"}, "write_key"),
        ({"host": "api.segment.io"}, "host"),
        ({"host": "https://"}, "host"),
        ({"host": "http://[bad"}, "host"),
        ({"user_id_field": "user_id"}, "user_id_field"),
        ({"anonymous_id_field": "context..a"}, "anonymous_id_field"),
        ({"identify_events": ["a"], "page_events": ["a"]}, "in common"),
    ],
)
def test_options_that_cannot_be_used_are_refused_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        SegmentBackend(**options)


def test_it_is_found_by_name_and_reports_its_problems_without_their_values():
    with pytest.raises(ConfigurationError) as caught:
        Tracker().configure({"backends": {"s": {"type": "segment", "host": "secret-host"}}})
    assert "backends.s" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_all_options_can_be_configured(segment):
    tracker = Tracker()
    tracker.configure({
        "backends": {
            "s": {
                "type": "segment",
                "write_key": segment.write_key,
                "host": segment.host,
                "gzip": True,
                "user_id_field": "context.who",
                "anonymous_id_field": "context.session",
                "identify_events": ["saved"],
                "page_events": ["seen"],
                "delivery": "inline",
            }
        }
    })  # fmt: skip
    with tracker.context(who="ada"):
        for name in ("saved", "seen", "done"):
            tracker.emit(name, {"a": 1})
    assert tracker.shutdown(60)
    types = [message["type"] for message in segment.messages.values()]
    assert types == ["identify", "page", "track"]


def test_by_default_events_wait_in_a_queue_and_arrive_once(segment, tmp_path):
    tracker = Tracker()
    delivery = {"schedule_delay": 0, "initial_interval": 0.01, "directory": str(tmp_path)}
    backend = {"type": "segment", "write_key": segment.write_key, "host": segment.host}
    tracker.configure({"backends": {"s": backend | {"delivery": delivery}}})
    segment.script(503, "reset", "drop", 500)
    segment.refuses = lambda message: message["event"] == "poison"
    with tracker.context(user_id=1):
        ids = [tracker.emit("poison" if index == 70 else "fine") for index in range(100)]
        assert tracker.flush(60)
    assert set(segment.messages) == set(ids) - {ids[70]}
    assert tracker.shutdown(60)


def test_the_key_and_the_address_may_be_set_by_the_application_at_any_time(
    segment, application, an_event
):
    backend = SegmentBackend()
    event = an_event()
    application(host=segment.host)
    with pytest.raises(RetryableError, match="write_key"):
        backend.send_batch([event], timeout=60)
    application(write_key=segment.write_key)
    backend.send_batch([event], timeout=60)
    assert list(segment.messages) == [event["id"]]
    application(write_key="another-key")
    with pytest.raises(BatchError):
        backend.send_batch([event], timeout=60)
    backend.shutdown(1)


def test_an_instances_own_key_and_address_come_first(segment, application, backend, an_event):
    application(write_key="another-key", host="http://127.0.0.1:9")
    backend.send_batch([an_event()], timeout=60)
    assert segment.count == 1


def test_the_key_is_shown_nowhere(segment, an_event, caplog):
    caplog.set_level(logging.DEBUG)
    key, word, data = "5ecret-key", "5ecret-word", "5ecret-data"
    backend = SegmentBackend(key, segment.host.replace("//", f"//someone:{word}@"))
    shown = [repr(backend)]
    for answer in (401, 503, "reset"):
        segment.script(answer)
        with pytest.raises((BatchError, RetryableError)) as caught:
            backend.send_batch([an_event(password=data)], timeout=60)
        errors = getattr(caught.value, "failures", {0: caught.value}).values()
        shown += [line for error in errors for line in traceback.format_exception(error)]
    backend.shutdown(1)
    assert len(segment.requests) == 3
    assert "5ecret" not in "".join(shown) + caplog.text


def test_what_netrc_says_does_not_replace_the_key(
    segment, backend, an_event, tmp_path, monkeypatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    backend.send_batch([an_event()], timeout=60)
    assert segment.count == 1


def test_threads_share_a_backend(segment, backend, an_event):
    batches = [[an_event() for _ in range(20)] for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda batch: backend.send_batch(batch, timeout=30), batches))
    assert segment.count == 800
    assert segment.repeats.total() == 0


def test_it_can_be_used_after_shutdown(segment, backend, an_event):
    for _ in range(2):
        backend.send_batch([an_event()], timeout=60)
        assert backend.shutdown(1) is True
    assert segment.count == 2
    assert len({request.peer for request in segment.requests}) == 2


FORK = """
import os, sys
from datetime import UTC, datetime
from eventtracking_core.events import new_id
from eventtracking_segment import SegmentBackend

backend = SegmentBackend(sys.argv[2], sys.argv[1])

def send(name):
    fields = {"context": {"user_id": 1}, "data": {}}
    backend.send_batch(
        [{"id": new_id(), "name": name, "timestamp": datetime.now(UTC), **fields}], timeout=5
    )

send("parent")
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        for _ in range(5):
            send("child")
        backend.shutdown(1)
        os._exit(0)
    children.append(child)
for _ in range(5):
    send("parent")
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
send("parent")
"""


def test_forked_processes_have_connections_of_their_own(segment, python):
    python(FORK)
    names = [message["event"] for message in segment.messages.values()]
    assert (names.count("parent"), names.count("child")) == (7, 15)
    assert len({request.peer for request in segment.requests}) == 4


def test_nothing_is_connected_before_the_first_event(segment, a_backend):
    a_backend()
    assert segment.requests == []
