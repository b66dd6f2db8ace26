"""The samples of the design that event tracking began with, as `docs/explanation/origins.md` tells.

Each is what that page has, with the corrections it lists.
"""

from __future__ import annotations

import json
from importlib import resources

import pytest

import eventtracking_core as et
from eventtracking_core.encoding import decode_json, encode_json
from eventtracking_core.registry import find_record

SHOW_ANSWER = "edx.problem.show_answer"
PROBLEM = {"problem_id": "i4x://MITx/6.00x/problem/L15:L15_Problem_2"}


@pytest.fixture
def stored():
    """A sink that keeps events and records of types."""

    class Sink:
        def __init__(self):
            self.events, self.records = [], {}

        def save_event_type(self, record):
            self.records[record.id] = record

        def send(self, event):
            self.events.append(decode_json(encode_json(event)))

    return Sink()


@pytest.fixture
def tracker(stored):
    return et.Tracker({"stored": stored})


def test_register_takes_descriptions_of_fields_and_of_the_context(tracker):
    record = tracker.register(
        "edx.navigation.request",
        "A user visited a page",
        {
            "url": "The url of the page visited.",
            "method": "The HTTP method for the request, can be GET, POST, PUT, DELETE etc.",
        },
        {
            "user_agent": "The user agent string provided by the user's browser.",
            "parameters": "All GET and POST parameters. Note this excludes passwords.",
        },
    )

    assert [doc.name for doc in record.fields] == ["url", "method"]
    assert [doc.name for doc in record.context_fields] == ["user_agent", "parameters"]


def test_an_unregistered_event_is_emitted(tracker, stored):
    tracker.emit(SHOW_ANSWER, PROBLEM)

    assert stored.events[0]["data"] == PROBLEM
    assert "name_id" not in stored.events[0]


def test_a_registered_event_refers_to_its_last_registration(tracker, stored):
    tracker.register(SHOW_ANSWER, "An answer was shown", {"problem_id": "A problem"})
    tracker.emit(SHOW_ANSWER, PROBLEM)
    tracker.register(
        SHOW_ANSWER,
        "An answer was shown for a problem",
        {"problem_id": "A unique problem identifier"},
    )
    tracker.emit(SHOW_ANSWER, PROBLEM)

    described = [stored.records[event["name_id"]].description for event in stored.events]
    assert described == ["An answer was shown", "An answer was shown for a problem"]


def test_a_context_is_entered_and_left(tracker, stored):
    tracker.enter_context("request", {"user_id": "1234"})
    try:
        tracker.emit(SHOW_ANSWER, PROBLEM)
    finally:
        tracker.exit_context("request")
    tracker.emit(SHOW_ANSWER, PROBLEM)

    assert [event["context"] for event in stored.events] == [{"user_id": "1234"}, {}]


def test_contexts_nest_and_the_innermost_value_wins(tracker, stored):
    tracker.enter_context("request", {"user_id": 10938})
    tracker.emit("navigation.request", {"url": "http://www.edx.org/some/path/1"})
    tracker.enter_context("session", {"user_id": 11111, "session_id": "2987lkjdyoioey"})
    tracker.emit("navigation.request", {"url": "http://www.edx.org/some/path/2"})
    tracker.exit_context("session")
    tracker.emit("navigation.request", {"url": "http://www.edx.org/some/path/3"})

    assert [event["context"] for event in stored.events] == [
        {"user_id": 10938},
        {"user_id": 11111, "session_id": "2987lkjdyoioey"},
        {"user_id": 10938},
    ]


def emit_the_sample(tracker):
    tracker.register(
        SHOW_ANSWER,
        "An answer was shown for a problem",
        {"problem_id": "A unique problem identifier"},
    )
    context = {"course_id": "", "user_id": "", "session_id": "", "org_id": "", "origin": "client"}
    meanings = {"course_id": "A unique course identifier", "origin": "client or server"}
    tracker.enter_context("edX context", context, "Sent with every event", meanings)
    tracker.emit(SHOW_ANSWER, PROBLEM)
    return context


def test_the_sample_event_has_the_ids_of_its_types(tracker, stored):
    context = emit_the_sample(tracker)

    (event,) = stored.events
    assert list(event) == [
        *("id", "name", "timestamp", "name_id", "context_type_id", "context", "data")
    ]
    assert (event["context"], event["data"]) == (context, PROBLEM)
    assert stored.records.keys() == {event["name_id"], event["context_type_id"]}


def test_the_metadata_tables_are_the_records_of_its_types(tracker, stored):
    emit_the_sample(tracker)

    (event,) = stored.events
    of_name = stored.records[event["name_id"]]
    of_context = stored.records[event["context_type_id"]]
    assert (of_name.name, of_name.description) == (SHOW_ANSWER, "An answer was shown for a problem")
    assert {doc.name: doc.description for doc in of_name.fields} == {
        "problem_id": "A unique problem identifier"
    }
    assert (of_context.kind, of_context.name) == ("context", "edX context")
    assert {doc.name: doc.description for doc in of_context.fields} == {
        "course_id": "A unique course identifier",
        "origin": "client or server",
    }
    for record in (of_name, of_context):
        assert record.registered_at.tzinfo is not None
        assert record.stack_trace[-1].endswith(" in emit_the_sample")
        assert et.EventType.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_the_five_conditions_are_warned_of_and_the_data_sent(tracker, stored):
    tracker.register(SHOW_ANSWER, "An answer was shown", {"problem_id": "A problem"})
    tracker.emit("edx.problem.unregistered", PROBLEM)
    tracker.emit(SHOW_ANSWER, {**PROBLEM, "colour": "red"})
    tracker.emit(SHOW_ANSWER, {})
    tracker.emit(SHOW_ANSWER, {"problem_id": object()})
    tracker.emit(SHOW_ANSWER, {"problem_id": "p" * 70_000})

    codes = ("unregistered", "unknown_field", "missing_field", "not_serializable", "too_large")
    assert tracker.stats()["warnings"] == dict.fromkeys(codes, 1)
    assert len(stored.events) == 5


def test_the_event_schema_ships_with_the_package():
    text = (resources.files("eventtracking_core") / "event.schema.json").read_text("utf-8")
    schema = json.loads(text)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(schema["properties"]) == [
        *("id", "name", "timestamp", "name_id", "context_type_id", "context", "data")
    ]
    assert schema["required"] == ["id", "name", "timestamp", "context", "data"]


def test_a_record_is_found_by_its_id_anywhere_in_the_process(tracker):
    record = tracker.register(SHOW_ANSWER, "An answer was shown")

    assert find_record(record.id) == record


def test_the_calls_of_the_samples_are_functions_of_the_module(tracker, stored):
    before = et.get_tracker()
    et.register_tracker(tracker)
    try:
        et.register("edx.problem.show_answer", "An answer was shown", {"problem_id": "An id"})
        et.enter_context("request", {"user_id": "1234"})
        et.emit("edx.problem.show_answer", {"problem_id": "p1"})
        assert et.resolve_context() == {"user_id": "1234"}
        et.exit_context("request")
        with pytest.raises(KeyError):
            et.exit_context("request")
    finally:
        et.register_tracker(before)
    [event] = stored.events
    assert event["context"] == {"user_id": "1234"}
