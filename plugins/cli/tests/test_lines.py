"""What event a line of a log becomes."""

from __future__ import annotations

import json
from datetime import UTC
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core.logs import RejectedLineError, parse_line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def test_an_edx_line_becomes_an_event_with_its_envelope_in_the_context(ingested, edx):
    [event] = ingested(edx(page="/course"))
    assert event["name"] == "edx.video.played"
    assert event["timestamp"] == "2026-09-12T12:55:00.123450Z"
    assert event["data"] == {"position": 3.5}
    assert event["context"] == {
        "course_id": "course-v1:A+B+C",
        "user_id": 7,
        "username": "ada",
        "session": "5e55",
        "ip": "192.0.2.9",
        "agent": "Firefox",
        "host": "lms.example",
        "event_source": "server",
        "page": "/course",
    }


def test_what_the_context_has_already_stays_as_it_is(ingested, edx):
    [event] = ingested(edx(context={"username": "grace"}))
    assert event["context"]["username"] == "grace"


def test_empty_fields_of_the_envelope_say_nothing_and_stay_out(ingested, edx):
    [event] = ingested(edx(username="", page=None, context={"enterprise": ""}))
    assert not {"username", "page", "referer"} & event["context"].keys()
    assert event["context"]["enterprise"] == ""


def test_an_event_type_that_differs_from_the_name_is_kept(ingested, edx):
    [event] = ingested(edx(event_type="play_video"))
    assert (event["name"], event["context"]["event_type"]) == ("edx.video.played", "play_video")


def test_without_a_name_the_event_type_is_the_name(ingested, edx):
    line = edx(event_type="/courses/x/about")
    del line["name"]
    [event] = ingested(line)
    assert event["name"] == "/courses/x/about"
    assert "event_type" not in event["context"]


def test_without_a_time_the_timestamp_is_the_time(ingested, edx):
    line = edx(timestamp="2026-01-02T03:04:05+02:00")
    del line["time"]
    [event] = ingested(line)
    assert event["timestamp"] == "2026-01-02T01:04:05Z"
    assert "timestamp" not in event["context"]


@pytest.mark.parametrize(
    ("written", "data"),
    [
        ({"a": 1}, {"a": 1}),
        ('{"GET": {}, "POST": {"q": ["1"]}}', {"GET": {}, "POST": {"q": ["1"]}}),
        (["a", 1], {"value": ["a", 1]}),
        ('["a", 1]', {"value": ["a", 1]}),
        ("input_1=choice_2", {"input_1": "choice_2"}),
        ("in%5B%5D=a&in%5B%5D=b+c&d=", {"in[]": ["a", "b c"], "d": ""}),
        ("plain text, a = b", {"value": "plain text, a = b"}),
        ('{"cut off": "by the', {"value": '{"cut off": "by the'}),
        (5, {"value": 5}),
        ("", {}),
        (None, {}),
    ],
)
def test_the_event_of_an_edx_line_may_be_written_in_many_ways(ingested, edx, written, data):
    [event] = ingested(edx(event=written))
    assert event["data"] == data


def test_an_event_of_ours_stays_what_it_is(ingested):
    event = {
        "id": "018848f4-2433-7ee2-be30-60e82e0c8272",
        "name": "edx.note",
        "timestamp": "2026-09-12T12:55:03Z",
        "name_id": "10ac28",
        "context_type_id": "11bd88",
        "context": {"user_id": 3},
        "data": {"event": "kept", "n": 10**30},
    }
    assert ingested(event) == [event]


def test_an_id_that_is_no_text_is_not_used_as_one(ingested):
    [event] = ingested({"id": 5, "name": "n", "timestamp": "2026-09-12T12:55:03Z", "data": {}})
    assert UUID(event["id"]).version == 7
    assert event["context"] == {"id": 5}


def test_prefixes_byte_order_marks_and_line_ends_are_no_part_of_an_event(ingested, edx):
    line = json.dumps(edx()).encode()
    lines = (b"\xef\xbb\xbf" + line, line + b"\r", b"\0\0 INFO [tracking] - " + line, b"", b" \r")
    assert len(ingested(*lines)) == 1  # it is the same event each time


def test_an_id_is_made_of_the_time_and_the_content(ingested, edx):
    ids = {event["id"] for event in ingested(edx(), edx(session="other"), edx())}
    assert len(ids) == 2
    for event_id in ids:
        assert UUID(event_id).version == 7
        assert UUID(event_id).int >> 80 == 1_789_217_700_123  # 2026-09-12T12:55:00.123Z


def test_the_id_of_a_line_never_changes():
    line = b'{"name": "n", "time": "2026-09-12T12:55:00Z", "event": {"b": 1, "a": "\xc3\xa9"}}'
    other = b'{"event":{"a":"\\u00e9","b":1},"time":"2026-09-12T12:55:00Z","name":"n"}'
    assert parse_line(line)["id"] == parse_line(other)["id"]
    assert parse_line(line)["id"] == "01a095af-78a0-7e54-a260-8281575f2195"


def test_nan_is_taken_although_it_is_no_json(ingested, edx):
    [event] = ingested(json.dumps(edx(event={"score": float("nan")})))
    assert event["data"] == {"score": None}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"plain text", "there is no object"),
        (b'{"name": "n", "context": "x": 1}', "Expecting ',' delimiter at column 29"),
        (b'prefix {"name": "n', "Unterminated string starting at column 17"),
        (b'{"name": "n"} {"name": "m"}', "Extra data"),
        (b"{" * 100_000, "not JSON"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"{}", "neither name nor event_type is a text"),
        (b'{"name": 3, "time": "2026-09-12"}', "neither name nor event_type is a text"),
        (b'{"name": "n"}', "neither time nor timestamp is there"),
        (b'{"name": "n", "time": "yesterday"}', "its time is not RFC 3339"),
        (b'{"name": "n", "time": 1789217700}', "its time is not RFC 3339"),
        (b'{"name": "n", "time": "0001-01-01T00:00+14:00"}', "its time is not RFC 3339"),
        (b'{"name": "n", "time": "2026-09-12", "context": [1]}', "context is not an object"),
        (b'{"name": "n", "time": "2026-09-12", "data": %s}' % (b"1" * 5000), "too many digits"),
        (b"\x80{}", "not UTF-8 text (byte 1)"),
    ],
)
def test_a_line_that_is_no_event_is_rejected_with_the_reason(line, reason):
    with pytest.raises(RejectedLineError) as rejected:
        parse_line(line)
    assert reason in str(rejected.value)


@given(st.binary() | st.text().map(str.encode))
def test_whatever_a_line_holds_it_is_an_event_empty_or_rejected(line):
    try:
        event = parse_line(line)
    except RejectedLineError:
        return
    assert event is None or UUID(event["id"])


@given(
    record=st.fixed_dictionaries(
        {"name": st.text(min_size=1), "time": st.datetimes().map(lambda time: f"{time}Z")},
        optional={"event": JSON, "context": st.dictionaries(st.text(), JSON), "page": JSON},
    )
)
def test_any_event_that_has_a_name_and_a_time_is_taken_and_keeps_its_id(record):
    event = parse_line(json.dumps(record).encode())
    assert event == parse_line(json.dumps(record, sort_keys=True, indent=1).encode()) or (
        "NaN" in json.dumps(record)
    )
    assert event["name"] == record["name"]
    assert event["timestamp"].tzinfo is UTC
    assert UUID(event["id"]).version == 7
    assert type(event["context"]) is type(event["data"]) is dict
