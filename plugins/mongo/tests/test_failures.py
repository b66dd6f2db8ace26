"""Servers that die and networks that fail: nothing lost, nothing stored twice, nothing endless."""

from __future__ import annotations

import logging
import subprocess
import sys
import traceback
from contextlib import suppress
from threading import Thread

import pymongo
import pytest
from fault_proxy import crawl, fall_silent, refuse
from pymongo.uri_parser import parse_uri
from waiting import at_most

from eventtracking_core import RejectedError, RetryableError

pytestmark = pytest.mark.drivers

INSERT = b"insert\0"


def bounded(seconds):
    """Check P6: no attempt takes longer than its timeout and a tenth."""
    return at_most(seconds * 1.1)


def fail_within(seconds, backend, events):
    """Check P6 on an attempt that fails."""
    with bounded(seconds), pytest.raises(RetryableError):
        backend.send_batch(events, timeout=seconds)


@pytest.fixture
def proxy(fault_proxy, mongo_uri):
    return fault_proxy(*parse_uri(mongo_uri)["nodelist"][0])


@pytest.fixture
def through(proxy, a_backend):
    """Make a backend that reaches its server through the proxy."""

    def make(options="", **others):
        uri = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true{options}"
        return a_backend(uri=uri, **others)

    return make


def test_a_killed_server_is_waited_for_no_longer_than_the_timeout_and_loses_nothing(
    mongod, a_backend, some_events
):
    backend = a_backend(uri=mongod.uri)
    events = some_events(100)
    backend.send_batch(events[:50], timeout=60)
    mongod.kill()
    fail_within(2, backend, events[50:])
    mongod.start()
    backend.send_batch(events, timeout=60)
    with pymongo.MongoClient(mongod.uri) as client:
        [database] = [name for name in client.list_database_names() if "eventtracking" in name]
        assert client[database].events.count_documents({}) == 100


def lag(proxy):
    proxy.latency = 5


@pytest.mark.parametrize("fail", [fall_silent, crawl, lag, refuse])
def test_no_attempt_outlasts_its_timeout_and_the_next_one_succeeds(
    through, proxy, some_events, stored, fail
):
    backend = through()
    events = some_events(100)
    backend.send_batch(events[:1], timeout=60)
    fail(proxy)
    fail_within(1.5, backend, events)
    proxy.heal()
    proxy.reset()
    backend.send_batch(events, timeout=60)
    assert len(stored()) == 100


def test_a_server_that_never_answers_a_connection_costs_no_more_than_the_timeout(
    through, proxy, an_event, stored
):
    backend = through()
    proxy.is_black_hole = True
    fail_within(1.5, backend, [an_event()])
    proxy.heal()
    backend.send_batch([an_event()], timeout=60)
    assert len(stored()) == 1


def test_a_network_of_300_ms_delivers(through, proxy, some_events, stored):
    proxy.latency = 0.15  # each way
    through().send_batch(some_events(100), timeout=60)
    assert len(stored()) == 100


@pytest.mark.parametrize("options", ["", "&retryWrites=false"])
def test_an_answer_that_is_lost_makes_no_duplicate(through, proxy, some_events, stored, options):
    backend = through(options)
    events = some_events(100)
    backend.send_batch(events[:1], timeout=60)
    proxy.lose_answers(INSERT, count=2)
    for _ in range(3):
        with suppress(RetryableError):
            backend.send_batch(events, timeout=60)
    assert proxy.lost == 2
    assert len(stored()) == 100


def test_a_shutdown_ends_in_time_when_the_server_has_fallen_silent(through, proxy, an_event):
    backend = through()
    backend.send(an_event())
    proxy.is_black_hole = True
    with bounded(1):
        assert backend.shutdown(1)


def test_a_backend_that_was_shut_down_connects_again(a_backend, an_event, stored):
    backend = a_backend()
    backend.send(an_event())
    assert backend.shutdown(1)
    assert backend.shutdown(1)
    backend.send(an_event())
    assert len(stored()) == 2


def test_an_attempt_without_time_fails_at_once(a_backend, an_event):
    with pytest.raises(RetryableError):
        a_backend(host="127.0.0.1", port=1).send_batch([an_event()], timeout=0)


def test_a_write_concern_that_is_not_met_is_no_delivery(a_backend, an_event, mongo_uri):
    if "replicaSet" not in mongo_uri:
        pytest.skip("the server of EVENTTRACKING_TEST_MONGO_URI is no replica set")
    with pytest.raises(RetryableError, match="write concern"):
        a_backend(w=50).send_batch([an_event(), an_event()], timeout=2)


def test_threads_share_a_backend(a_backend, some_events, stored):
    backend = a_backend()
    threads = [
        Thread(target=backend.send_batch, args=[some_events(50)], kwargs={"timeout": 60})
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored()) == 400


FORKS = """
import os, sys
from datetime import UTC, datetime
from eventtracking_core.events import new_id
from eventtracking_mongo import MongoBackend

def send(number):
    backend.send({"id": new_id(), "name": "n", "timestamp": datetime.now(UTC),
                  "context": {}, "data": {"number": number}})

backend = MongoBackend(sys.argv[1], database=sys.argv[2])
send(0)
children = []
for number in range(1, 6):
    child = os.fork()
    if not child:
        send(number)
        send(number + 100)
        sys.exit(0 if backend.shutdown(5) else 1)
    children.append(child)
    send(number + 200)
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 5
send(300)
backend.shutdown(5)
"""


def test_a_forked_child_connects_for_itself(mongo_uri, mongo_database, stored):
    warnings = ["-Werror", "-Wignore::DeprecationWarning"]  # 3.12 advises against forks
    ran = subprocess.run(
        [sys.executable, *warnings, "-c", FORKS, mongo_uri, mongo_database.name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    expected = [0, 300, *(n + more for n in range(1, 6) for more in (0, 100, 200))]
    assert sorted(document["data"]["number"] for document in stored()) == sorted(expected)


def everything_said(error, backend, caplog):
    return "".join(
        [*traceback.format_exception(error), repr(backend), str(vars(error)), caplog.text]
    )


@pytest.mark.parametrize("options", [{"user": "anna", "password": "hunter2"}, {}])
def test_wrong_credentials_may_be_put_right_and_are_never_printed(
    a_backend, an_event, mongo_uri, caplog, options
):
    uri = mongo_uri if options else mongo_uri.replace("://", "://anna:hunter2@")
    backend = a_backend(uri=uri, indexes=["name"], **options)
    for _ in range(2):
        with (
            caplog.at_level(logging.INFO),
            pytest.raises(RetryableError, match="code 18") as failed,
        ):
            backend.send_batch([an_event()], timeout=60)
        assert "hunter2" not in everything_said(failed.value, backend, caplog)


def test_a_payload_is_never_printed(a_backend, an_event, mongo_database, caplog):
    mongo_database.create_collection("events", validator={"data.never": 1})
    backend = a_backend()
    event = an_event(data={"secret": "hunter2"})
    with caplog.at_level(logging.INFO), pytest.raises(RejectedError, match="121") as failed:
        backend.send(event)
    assert "hunter2" not in everything_said(failed.value, backend, caplog)
