"""What the drop-in does better than the published package."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import uuid

import pytest

import eventtracking.tracker as et
from eventtracking.backends.logger import LoggerBackend
from eventtracking.backends.mongodb import MongoBackend
from eventtracking.backends.routing import RoutingBackend
from eventtracking.locator import ThreadLocalContextLocator
from eventtracking.processors.exceptions import EventEmissionExit
from eventtracking.processors.regex_filter import RegexFilter


class Memory:
    def __init__(self):
        self.events = []

    def send(self, event):
        self.events.append(event)


@pytest.fixture
def memory():
    """The backend of the default tracker."""
    before, backend = et.get_tracker(), Memory()
    et.register_tracker(et.Tracker({"memory": backend}))
    yield backend
    et.register_tracker(before)


def test_it_refuses_to_be_imported_beside_the_published_distribution(tmp_path):
    metadata = tmp_path / "event_tracking-4.1.5.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: event-tracking\nVersion: 4.1.5\n")
    program = f"import sys; sys.path.append({str(tmp_path)!r}); import eventtracking"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "event-tracking 4.1.5 and eventtracking-compat are both installed" in done.stderr


def test_the_samples_of_the_design_at_module_level(memory):
    et.register("edx.navigation.request", "A user visited a page", {"url": "The page's URL."})
    et.enter_context("request", {"user_id": 10938})
    et.emit("edx.navigation.request", {"url": "http://www.edx.org/some/path/1"})
    et.enter_context("session", {"user_id": 11111, "session_id": "2987"}, "A session", {})
    assert et.resolve_context() == {"user_id": 11111, "session_id": "2987"}
    et.exit_context("session")
    with et.context("view", {"page": 1}):
        et.emit("edx.navigation.request")
    et.exit_context("request")

    assert [event["context"] for event in memory.events] == [
        {"user_id": 10938},
        {"user_id": 10938, "page": 1},
    ]
    assert set(memory.events[0]) == {"name", "timestamp", "data", "context"}


def test_tasks_of_asyncio_do_not_see_each_others_contexts():
    tracker = et.Tracker({"memory": Memory()}, context_locator=ThreadLocalContextLocator())
    tracker.enter_context("process", {"pid": 1})

    async def request(number):
        with tracker.context("request", {"user_id": number}):
            for _ in range(3):
                await asyncio.sleep(0)
                assert tracker.resolve_context() == {"pid": 1, "user_id": number}

    async def requests():
        await asyncio.gather(*map(request, range(10)))

    asyncio.run(requests())
    assert tracker.resolve_context() == {"pid": 1}


def test_the_log_has_events_of_any_size_and_with_any_value(caplog):
    tracker = et.Tracker({"log": LoggerBackend(name="tracking")})
    key = uuid.uuid4()
    with caplog.at_level(logging.INFO, "tracking"):
        tracker.emit("long", {"text": "x" * 100_000})
        tracker.emit("odd", {"uuid": key, "set": {1}, "bytes": b"\xff"})
    long, odd = (json.loads(record.getMessage()) for record in caplog.records)
    assert len(long["data"]["text"]) == 100_000
    assert odd["data"]["uuid"] == str(key)
    assert odd["data"]["set"] == [1]


def test_a_limit_of_the_log_is_kept_and_told_of(caplog):
    backend = LoggerBackend(name="limited", max_event_size=20)
    with caplog.at_level(logging.INFO):
        backend.send({"a": 1})
        backend.send({"a": "x" * 40})
    assert [record.name for record in caplog.records] == ["limited", "eventtracking"]
    assert "max_event_size" in caplog.records[1].getMessage()


def test_the_counters_of_the_core_count():
    def drop(event):
        raise EventEmissionExit

    tracker = et.Tracker({"a": RoutingBackend({"m": Memory()}, [drop]), "b": Memory()})
    tracker.emit("x")
    assert tracker.stats()["emitted"] == 1
    assert tracker.flush(1)


def test_a_prefix_matches_as_it_does_there():
    keep = RegexFilter("allowlist", [r"edx\.course"])
    assert keep({"name": "edx.course.enrolled"})["name"] == "edx.course.enrolled"
    with pytest.raises(EventEmissionExit):
        keep({"name": "not.edx.course"})


def test_mongodb_has_every_event_once_also_those_that_cannot_be_stored_there(mongo_database):
    name = mongo_database.name
    host, port = mongo_database.client.address
    extra = {"replicaSet": "test", "w": 0}
    backend = MongoBackend(host=host, port=port, database=name, collection="events", extra=extra)
    tracker = et.Tracker({"mongo": backend})
    ids = [tracker.emit("x", {"uuid": uuid.uuid4(), "n": n}) for n in range(20)]
    assert tracker.flush(60)
    found = list(mongo_database.events.find())
    assert sorted(document["_id"] for document in found) == sorted(ids)
    assert {document["data"]["n"] for document in found} == set(range(20))
    tracker.shutdown(5)


def test_mongodb_has_each_event_of_a_list(mongo_database):
    host, port = mongo_database.client.address
    backend = MongoBackend(
        host=[f"{host}:{port}"], database=mongo_database.name, extra={"replicaSet": "test"}
    )
    tracker = et.Tracker(
        {"mongo": backend}, processors=[lambda event: [{**event, "data": {"n": n}} for n in (1, 2)]]
    )
    tracker.emit("x")
    assert tracker.flush(60)
    assert sorted(each["data"]["n"] for each in mongo_database.events.find()) == [1, 2]
    tracker.shutdown(5)
