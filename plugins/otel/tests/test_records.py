"""What an event is as a log record."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventtracking_otel import OtelBackend

TRACE = {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7"}


@pytest.fixture
def record(pipeline):
    """Sends an event, and returns its record as a receiver reads it."""

    def send(event, **options):
        OtelBackend(**options).send_batch([event], timeout=60)
        return pipeline.exported[-1]

    return send


@pytest.fixture
def attributes(pipeline, record):
    """Sends an event, and returns the attributes of its record."""

    def send(event, **options):
        record(event, **options)
        return pipeline.attributes[-1]

    return send


def test_a_record_has_the_events_name_time_and_severity_and_no_body(record, an_event):
    event = an_event()
    made = record(event)
    assert made.event_name == "edx.problem.check"
    assert made.time_unix_nano == 1789217700123450000
    assert made.observed_time_unix_nano > 0
    assert (made.severity_text, made.severity_number) == ("INFO", 9)
    assert not made.body.WhichOneof("value")


def test_data_and_context_are_maps_and_the_id_is_the_records_uid(attributes, an_event):
    event = an_event(data={"answer": {"choices": ["a"]}}, course_id="c1")
    assert attributes(event) == {
        "data": {"answer": {"choices": ["a"]}},
        "context": {"course_id": "c1"},
        "log.record.uid": event["id"],
    }


def test_what_is_empty_is_left_out(attributes, an_event):
    event = an_event(data={})
    assert attributes(event) == {"log.record.uid": event["id"]}


def test_other_fields_of_the_event_are_attributes_too(attributes, an_event):
    event = an_event(data={}) | {"name_id": "10ac28", "context_type_id": "11bd88"}
    found = attributes(event)
    assert (found["name_id"], found["context_type_id"]) == ("10ac28", "11bd88")


@pytest.mark.parametrize(
    ("context", "known"),
    [
        ({"user_id": 10938}, {"user.id": "10938"}),
        ({"session": "s1"}, {"session.id": "s1"}),
        ({"session_id": "s1"}, {"session.id": "s1"}),
        ({"ip": "203.0.113.57"}, {"client.address": "203.0.113.57"}),
        ({"agent": "Firefox/128.0"}, {"user_agent.original": "Firefox/128.0"}),
        ({"user_agent": "Firefox/128.0"}, {"user_agent.original": "Firefox/128.0"}),
        ({"page": "https://h.org/a?b"}, {"url.full": "https://h.org/a?b"}),
        ({"url": "https://h.org/a?b"}, {"url.full": "https://h.org/a?b"}),
    ],
)
@pytest.mark.parametrize("flatten", [False, True])
def test_known_fields_of_the_context_go_by_the_semantic_conventions(
    attributes, an_event, context, known, flatten
):
    event = an_event(data={}, **context)
    assert attributes(event, flatten=flatten) == known | {"log.record.uid": event["id"]}


def test_a_known_field_that_is_no_text_or_number_stays_in_the_context(attributes, an_event):
    found = attributes(an_event(user_id=None, session={"id": 1}, page="p", url="u"))
    assert found["context"] == {"user_id": None, "session": {"id": 1}, "page": "p"}
    assert found["url.full"] == "u"


def test_a_record_belongs_to_the_span_that_the_event_names(pipeline, record, an_event):
    made = record(an_event(**TRACE, trace_flags=1, course_id="c1"))
    assert made.trace_id.hex() == TRACE["trace_id"]
    assert made.span_id.hex() == TRACE["span_id"]
    assert made.flags & 0xFF == 1
    assert pipeline.attributes[-1]["context"] == {"course_id": "c1"}


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"trace_id": "no id", "span_id": "at all"},
        {"trace_id": TRACE["trace_id"]},
        {"trace_id": 1, "span_id": 2},
        {"trace_id": "0" * 32, "span_id": "0" * 16},
        {"trace_id": "f" * 64, "span_id": "f" * 64},
    ],
)
def test_without_a_valid_span_there_is_none_and_the_fields_stay(
    pipeline, record, an_event, context
):
    made = record(an_event(**context))
    assert not made.trace_id
    assert not made.span_id
    assert pipeline.attributes[-1].get("context", {}) == context


def test_flags_that_are_none_do_no_harm(record, an_event):
    for flags in (-1, 2**70, "01", None):
        assert record(an_event(**TRACE, trace_flags=flags)).span_id.hex() == TRACE["span_id"]


def test_flattened_each_field_is_an_attribute(attributes, an_event):
    data = {"answer": {"grade": 0.5, "parts": [1, 2]}, "list": [{"a": 1}], "map": {}, "a.b": 1}
    event = an_event(data=data | {"a": {"b": 2}}, course_id="c1")
    assert attributes(event, flatten=True) == {
        "data.answer.grade": 0.5,
        "data.answer.parts": [1, 2],
        "data.list": '[{"a":1}]',
        "data.map": "{}",
        "data.a.b": 1,
        "data.a.b~2": 2,
        "context.course_id": "c1",
        "log.record.uid": event["id"],
    }


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ([1, 2.5, None], [1.0, 2.5, None]),
        ([1, "a", {"b": [True]}], '[1,"a",{"b":[true]}]'),
        ([[1], ["a", 2]], '[[1],["a",2]]'),
        ([{"a": 1}, {"b": 2}], [{"a": 1}, {"b": 2}]),
        ([True, 1], "[true,1]"),
        (2**63, str(2**63)),
        (datetime(2026, 9, 12, tzinfo=UTC), "2026-09-12T00:00:00Z"),
        ([datetime(2026, 9, 12, tzinfo=UTC), 1], '["2026-09-12T00:00:00Z",1]'),
        ({"": 1}, {"(empty)": 1}),
        (float("nan"), None),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        (b"abc", "YWJj"),
    ],
)
def test_what_opentelemetry_has_no_room_for_arrives_in_another_form(
    attributes, an_event, value, arrives
):
    """The SDK drops lists of mixed types and empty keys; OTLP has 64 bits for an integer."""
    assert attributes(an_event(data={"value": value}))["data"] == {"value": arrives}


def test_what_lies_deeper_than_receivers_look_is_json_text(attributes, an_event):
    data = {"deepest": 1}
    for _ in range(50):
        data = {"in": data}
    assert '{"in":{"deepest":1}}' in str(attributes(an_event(data=data)))


@pytest.mark.parametrize(
    ("year", "time"), [(1066, 0), (9999, 2**63 - 1)], ids=["too early", "too late"]
)
def test_a_time_that_otlp_cannot_hold_is_kept_as_text(record, pipeline, an_event, year, time):
    event = an_event() | {"timestamp": datetime(year, 1, 1, tzinfo=UTC)}
    assert record(event).time_unix_nano == time
    assert pipeline.attributes[-1]["timestamp"] == f"{year}-01-01T00:00:00Z"


def test_the_event_is_left_as_it_is(record, an_event):
    event = an_event(user_id=1, **TRACE)
    before = {**event, "context": {**event["context"]}}
    record(event)
    assert event == before


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=PLAIN, flatten=st.booleans())
def test_any_value_passes_the_sdk_and_the_wire(pipeline, an_event, value, flatten):
    """Nothing is dropped on the way: what the SDK drops, it complains of."""
    event = an_event(data={"value": value})
    OtelBackend(flatten=flatten).send_batch([event], timeout=60)
    assert pipeline.exported[-1].dropped_attributes_count == 0
    found = pipeline.attributes[-1]
    assert found["log.record.uid"] == event["id"]
    assert "value" in found["data"] if not flatten else any("data.value" in key for key in found)
