"""Records of event types in every sink that keeps them: written once, and read from it alone."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.plugins import plugins

WHEN = datetime(2026, 9, 12, 12, 55, tzinfo=UTC)


def a_record(name="edx.problem.check", description="A problem was checked.", **more):
    fields = (
        et.FieldDoc("problem_id", "Which <b>problem</b>.", type="string", pii="id"),
        et.FieldDoc("answers.first", "The first answer.", required=False),
    )
    schema = {"$ref": "#/$defs/a.b", "$defs": {"a.b": {"type": "object"}}}
    record = et.EventType(
        name=name, description=description, fields=fields, schema=schema, tags=("a",), **more
    )
    return record.at(WHEN, ["app/views.py:7 in check"])


@pytest.fixture
def sinks(tmp_path, mongo_uri, mongo_database):
    """Makes a sink of a type; each one made is another object on the same data."""

    def make(name):
        options = {
            "file": {"path": str(tmp_path / "events.ndjson")},
            "mongo": {"uri": mongo_uri, "database": mongo_database.name},
            "sqlite": {"path": str(tmp_path / "events.db")},
        }
        made.append(plugins.find("backend", name)(**options[name]))
        return made[-1]

    made = []
    yield make
    for sink in made:
        sink.shutdown(5)


@pytest.mark.parametrize("name", ["file", "mongo", "sqlite"])
def test_a_record_is_read_back_as_it_was_by_another_process(sinks, name):
    assert list(sinks(name).load_event_types()) == []
    first, second = a_record(), a_record(description="It was checked anew.")
    sink = sinks(name)
    for record in (first, second, first):
        sink.save_event_type(record)
    sinks(name).save_event_type(first)
    assert list(sinks(name).load_event_types()) == [first, second]
    assert [record.id for record in sinks(name).load_event_types()] == [first.id, second.id]


@pytest.mark.parametrize("name", ["file", "mongo", "sqlite"])
def test_a_sink_can_be_the_metadata_store(name):
    assert plugins.find("metadata store", name) is plugins.find("backend", name)


def test_the_memory_backend_keeps_records():
    memory = MemoryBackend()
    memory.save_event_type(a_record())
    memory.save_event_type(a_record())
    assert memory.load_event_types() == [a_record()]
    memory.clear()
    assert memory.load_event_types() == []


def test_sqlite_can_be_asked_what_a_field_means(sinks, tmp_path):
    record = a_record()
    sinks("sqlite").save_event_type(record)
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        described = connection.execute(
            "SELECT t.id, t.name, f.part, f.name, f.type, f.required, f.pii FROM event_types t"
            " JOIN event_type_fields f ON f.event_type_id = t.id ORDER BY f.name"
        ).fetchall()
    assert described == [
        (record.id, "edx.problem.check", "data", "answers.first", None, 0, None),
        (record.id, "edx.problem.check", "data", "problem_id", "string", 1, "id"),
    ]


def test_each_rotated_file_documents_itself(tmp_path):
    path = tmp_path / "events.ndjson"
    sink = plugins.find("backend", "file")(path=str(path), max_size=1000)
    sink.save_event_type(a_record())
    for _ in range(20):
        event = {"id": "e", "name": "n", "timestamp": WHEN, "context": {}, "data": {"t": "x" * 90}}
        sink.send(event)
    sink.shutdown(5)
    files = list(tmp_path.iterdir())
    assert len(files) > 1
    for file in files:
        assert json.loads(file.read_text().splitlines()[0])["event_type"]["id"] == a_record().id


def test_a_logger_has_a_line_of_its_own_kind(caplog):
    sink = plugins.find("backend", "logger")(name="tracking")
    with caplog.at_level(logging.INFO, "tracking"):
        sink.save_event_type(a_record())
    [line] = caplog.records
    said = json.loads(line.getMessage())["event_type"]
    assert et.EventType.from_dict(said) == a_record()
    assert line.event_type_id == a_record().id


@pytest.mark.parametrize("wrong", ["sqlit", {"type": "sqlite"}, {"type": "null"}, 7])
def test_a_metadata_store_that_cannot_be_is_a_problem_at_its_path(wrong):
    with pytest.raises(et.ConfigurationError) as refused:
        et.Tracker().configure({"metadata": wrong, "backends": {"a": "null"}})
    assert all(problem.path.startswith("metadata") for problem in refused.value.problems)


def events_of(name, tmp_path, mongo_database):
    """Return the events of a sink, as whoever reads it finds them."""
    if name == "mongo":
        return list(mongo_database["events"].find().sort("_id"))
    if name == "file":
        lines = map(json.loads, (tmp_path / "events.ndjson").read_text().splitlines())
        return [line for line in lines if "event_type" not in line]
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        rows = connection.execute("SELECT event FROM events ORDER BY id")
        return [json.loads(text) for (text,) in rows]


@pytest.mark.parametrize("name", ["file", "mongo", "sqlite"])
def test_what_a_stored_event_means_is_found_in_its_store_alone(
    sinks, name, tmp_path, mongo_database
):
    tracker = et.Tracker({"sink": sinks(name)})
    tracker.register("problem.check", "First.", {"answer": "What was answered."})
    tracker.enter_context("request", {"ip": "192.0.2.7"}, "A request.", {"ip": "From where."})
    tracker.emit("problem.check", {"answer": 1})
    with tracker.context("user", {"id": 7}, "Somebody.", {"id": "Who."}):
        tracker.emit("problem.check", {"answer": 2})
        tracker.register("problem.check", "Second.", {"answer": "What was answered."})
        tracker.emit("problem.check", {"answer": 3})
    assert tracker.shutdown(60)

    records = {record.id: record for record in sinks(name).load_event_types()}
    events = events_of(name, tmp_path, mongo_database)
    assert [records[event["name_id"]].description for event in events] == [
        *("First.", "First.", "Second."),
    ]
    contexts = [records[event["context_type_id"]] for event in events]
    assert [context.kind for context in contexts] == ["context", "composed", "composed"]
    assert [records[member].name for member in contexts[1].members] == ["request", "user"]


def test_records_come_to_the_metadata_store_without_any_event(sinks, tmp_path):
    tracker = et.Tracker()
    early = tracker.register("early.type", "Before it was configured.")
    store = {"type": "sqlite", "path": str(tmp_path / "events.db")}
    tracker.configure({"metadata": store, "backends": {"none": "null"}})
    late = tracker.register("late.type", "After that.")
    assert tracker.shutdown(60)

    assert {record.id for record in sinks("sqlite").load_event_types()} == {early.id, late.id}


def test_a_handler_that_emits_what_it_handles_comes_to_an_end():
    class Emitting(logging.Handler):
        def emit(self, _record):
            tracker.emit("from.handler")

    logger = logging.getLogger("tracking.emitting")
    logger.setLevel(logging.INFO)
    logger.addHandler(Emitting())
    tracker = et.Tracker({"log": plugins.find("backend", "logger")(name=logger.name)})
    tracker.register("problem.check", "")
    tracker.register("from.handler", "")
    tracker.emit("problem.check")

    assert 2 <= tracker.stats()["emitted"] < 10
