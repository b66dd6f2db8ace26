"""What event a line of a log becomes."""

from __future__ import annotations

import json
from uuid import UUID

import pytest


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


def test_nan_is_taken_although_it_is_no_json(ingested, edx):
    [event] = ingested(json.dumps(edx(event={"score": float("nan")})))
    assert event["data"] == {"score": None}
