"""What travels in headers from one process to another, and what does not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    use_span,
)

import eventtracking_core as et

KEY = "eventtracking-context"
TRACE = SpanContext(
    0x0AF7651916CD43DD8448EB211C80319C,
    0x00F067AA0BA902B7,
    is_remote=True,
    trace_flags=TraceFlags(1),
)


def resolved():
    return et.get_tracker().resolve_context()


def test_contexts_and_trace_arrive_where_they_are_extracted():
    carrier = {}
    request = et.context("request", {"user_id": 7, "ip": "203.0.113.9"})
    with request, et.context(course_id="c"), use_span(NonRecordingSpan(TRACE)):
        et.inject(carrier)
    assert resolved() == {}
    with et.extract(carrier):
        assert resolved() == {"user_id": 7, "course_id": "c"}
        assert get_current_span().get_span_context().trace_id == TRACE.trace_id
    assert resolved() == {}
    assert not get_current_span().get_span_context().is_valid


def test_what_a_context_provider_adds_travels_below_what_was_entered():
    former, tracker, carrier = et.get_tracker(), et.Tracker(), {}
    et.register_tracker(tracker)
    tracker.add_context_provider(lambda: {"user_id": 7, "org_id": "o", "ip": "203.0.113.9"})
    with et.context("course", {"org_id": "inner"}):
        assert tracker.event_context() == {"user_id": 7, "org_id": "inner", "ip": "203.0.113.9"}
        et.inject(carrier)
    et.register_tracker(former)
    assert json.loads(carrier[KEY]) == {"user_id": 7, "org_id": "inner"}


def test_headers_hold_plain_text_of_one_line():
    carrier = {}
    with et.context("r", {"user_id": "zoë\r\nX-Evil: 1\u2028"}):
        et.inject(carrier)
    assert carrier[KEY].isascii()
    assert carrier[KEY].isprintable()
    with et.extract(carrier):
        assert resolved() == {"user_id": "zoë\r\nX-Evil: 1\u2028"}


def test_only_the_fields_that_are_named_travel_on_either_side():
    carrier = {}
    with et.context("r", {"a": 1, "b": 2, "c": 3}):
        et.inject(carrier, ["a", "b", "missing"])
    assert json.loads(carrier[KEY]) == {"a": 1, "b": 2}
    with et.extract(carrier, ["b", "c"]):
        assert resolved() == {"b": 2}


def test_what_is_not_plain_or_does_not_fit_stays():
    carrier = {}
    values = {"a": {"nested": 1}, "b": b"bytes", "c": "x" * 5000, "d": True, "e": None, "f": 1.5}
    with et.context("r", values):
        et.inject(carrier, list(values))
    assert json.loads(carrier[KEY]) == {"d": True, "f": 1.5}


def test_without_context_and_trace_nothing_is_written():
    carrier = {}
    et.inject(carrier)
    assert carrier == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '{"user_id": {}}',
        "[" * 3000,
        '{"user_id": "' + "x" * 9000 + '"}',
        None,
        7,
    ],
    ids=lambda text: str(text)[:12],
)
def test_what_is_malformed_or_too_long_is_left_out(text):
    with et.extract({KEY: text, "traceparent": "nonsense"}):
        assert resolved() == {}


@pytest.mark.slow
@given(st.dictionaries(st.text(), st.text() | st.integers() | st.floats() | st.booleans()))
def test_whatever_travels_arrives_as_it_was(values):
    carrier = {}
    with et.context("r", values):
        et.inject(carrier, list(values))
    with et.extract(carrier, list(values)):
        arrived = resolved()
    assert all(repr(arrived[key]) == repr(values[key]) for key in arrived)
