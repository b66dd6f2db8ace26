"""What a line of a log holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from urllib.parse import urlencode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core import EventType
from eventtracking_core.logs import Rejected, parse_line

TIME = "2026-09-12T12:55:00Z"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def a_line(name="n", **fields):
    return json.dumps({"event_type": name, "time": TIME, "context": {}, "event": {}, **fields})


def parsed(line):
    return parse_line(line if isinstance(line, bytes) else line.encode())


def names(line):
    return [None if isinstance(entry, Rejected) else entry["name"] for entry in parsed(line)]


def test_the_id_of_a_line_never_changes():
    line = b'{"name": "n", "time": "2026-09-12T12:55:00Z", "event": {"b": 1, "a": "\xc3\xa9"}}'
    other = b'{"event":{"a":"\\u00e9","b":1},"time":"2026-09-12T12:55:00Z","name":"n"}'
    assert parse_line(line)[0]["id"] == parse_line(other)[0]["id"]
    assert parse_line(line)[0]["id"] == "01a095af-78a0-7e54-a260-8281575f2195"


@pytest.mark.parametrize(
    ("written", "data"),
    [
        (json.dumps("a%5B%5D=1&a%5B%5D=2&b=3"), {"a[]": ["1", "2"], "b": "3"}),
        (json.dumps({"a": 1}), {"a": 1}),
        (json.dumps(json.dumps({"a": [1]})), {"a": [1]}),
        (f" {json.dumps(json.dumps([1]))}\n", {"value": [1]}),
        (json.dumps("page closed"), {"value": "page closed"}),
        (json.dumps(""), {}),
        ("null", {}),
        (json.dumps("null"), {}),
        ("5", {"value": "5"}),
        ("true", {"value": "true"}),
        ('"cut off', {"value": '"cut off'}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a=1&", {"a": "1"}),
        ("[" * 100_000, {"value": "[" * 100_000}),
    ],
)
def test_data_is_unpacked_however_often_it_was_encoded(written, data):
    [event] = parsed(a_line(event=written))
    assert event["data"] == data


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1),
        st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=3),
        min_size=1,
    )
)
def test_a_form_in_json_has_the_same_fields_as_the_form(fields):
    form = urlencode(fields, doseq=True)
    [event] = parsed(a_line(event=json.dumps(form)))
    assert event["data"] == fields


def test_an_event_whose_name_is_empty_is_unknown():
    assert names(a_line("")) == ["unknown"]


def test_a_context_may_be_json_in_a_text():
    [event] = parsed(a_line(context='{"user_id": 4}'))
    assert event["context"] == {"user_id": 4}


@pytest.mark.parametrize(
    "prefix",
    [
        "INFO {pid=31} [tracking] - ",
        "INFO {} - ",
        'INFO {"service": "lms"} - ',
        'INFO { "pid": 31, "tags": {"a": {}} } ',
        "{{}} ",
        "{" * 50,
        "\x1b[32m{",
        '[{"took": 3},',
    ],
)
def test_a_prefix_may_hold_braces_and_even_objects(prefix):
    assert names(prefix + a_line("a")) == ["a"]


@pytest.mark.parametrize("between", ["", " ", ", ", "\t|\t", "}{{", ' {"took": 3} '])
def test_each_event_of_a_line_is_taken(between):
    assert names(a_line("a") + between + a_line("b")) == ["a", "b"]


def test_a_list_of_events_in_one_line_is_each_of_them():
    assert names(f"[{a_line('a')},{a_line('b')}]") == ["a", "b"]


def test_a_second_event_that_is_cut_off_is_rejected_and_the_first_one_taken():
    assert names(a_line("a") + a_line("b")[:-9]) == ["a", None]


def test_a_whole_event_after_a_torn_one_is_taken_and_the_torn_one_rejected():
    assert names(a_line("a", event={"text": "long"})[:-5] + a_line("b")) == [None, "b"]


def test_what_lies_within_an_event_that_is_cut_off_is_no_event():
    inner = json.loads(a_line("inner"))
    assert names(a_line("a", event=inner, context={"page": "x"})[:-20]) == [None]


WRAPPED = {
    "Docker": lambda line: json.dumps({"log": line + "\n", "stream": "stderr", "time": TIME}),
    "Vector": lambda line: json.dumps(
        {"timestamp": TIME, "message": line, "source_type": "docker_logs", "host": "h"}
    ),
    "Fluentd": lambda line: f"{TIME}\tdocker.lms\t{json.dumps({'log': line, 'source': 'stdout'})}",
    "Logstash": lambda line: json.dumps({"@timestamp": TIME, "message": line, "host": {"a": "b"}}),
    "journald": lambda line: json.dumps({"__REALTIME_TIMESTAMP": "1", "MESSAGE": line}),
    "Loki": lambda line: json.dumps({"labels": {"job": "lms"}, "line": line, "timestamp": TIME}),
    "Google": lambda line: json.dumps({"insertId": "1", "textPayload": line, "timestamp": TIME}),
    "Splunk": lambda line: json.dumps({"preview": False, "result": {"_raw": line, "_time": "x"}}),
    "Elasticsearch": lambda line: json.dumps({"_index": "i", "_source": {"message": line}}),
    "named container": lambda line: json.dumps({"name": "lms", "time": TIME, "log": line}),
    "CRI": lambda line: f"2026-09-12T12:55:00.700000000Z stderr F {line}",
}


@pytest.mark.parametrize("collector", WRAPPED)
def test_what_a_collector_of_logs_wraps_around_a_line_is_taken_off(collector):
    line = f"2026-09-12 12:55:00,618 INFO 29 [tracking] - {a_line('a')}"
    wrap = WRAPPED[collector]
    assert parsed(wrap(line)) == parsed(line)
    assert parsed(WRAPPED["Vector"](wrap(line))) == parsed(line)


@pytest.mark.parametrize("collector", [key for key in WRAPPED if key != "named container"])
def test_a_wrapped_line_that_is_no_event_is_rejected(collector):
    assert names(WRAPPED[collector]("GET / 200 {}")) == [None]


def test_an_object_in_a_wrapper_is_taken_too():
    wrapped = json.dumps({"insertId": "1", "jsonPayload": json.loads(a_line("a"))})
    assert parsed(wrapped) == parsed(a_line("a"))


def test_a_message_of_an_event_is_no_wrapped_line():
    [event] = parsed(a_line("a", message="see {this}", log=a_line("b")))
    assert (event["name"], event["context"]["message"]) == ("a", "see {this}")


def test_what_mongoexport_writes_becomes_plain_values():
    line = {
        "_id": "01a2211d-58b5-7012-b4a2-9a40891cf821",
        "name": "n",
        "timestamp": {"$date": "2026-09-12T12:55:00.123Z"},
        "context": {"user_id": {"$numberLong": "5"}, "ref": {"$oid": "0123456789ab0123456789ab"}},
        "data": {
            "at": {"$date": {"$numberLong": "1789217700123"}},
            "share": {"$numberDouble": "0.5"},
            "price": {"$numberDecimal": "9.90"},
            "raw": {"$binary": {"base64": "AAE=", "subType": "00"}},
            "items": [{"$numberInt": "1"}],
            "odd": {"$date": "never"},
            "$lookup": {"from": "x"},
        },
    }
    at = datetime(2026, 9, 12, 12, 55, 0, 123000, UTC)
    assert parsed(json.dumps(line)) == [
        {
            "id": "01a2211d-58b5-7012-b4a2-9a40891cf821",
            "name": "n",
            "timestamp": at,
            "context": {"user_id": 5, "ref": "0123456789ab0123456789ab"},
            "data": {
                "at": at,
                "share": 0.5,
                "price": Decimal("9.90"),
                "raw": b"\0\x01",
                "items": [1],
                "odd": {"$date": "never"},
                "$lookup": {"from": "x"},
            },
        }
    ]


def test_an_object_id_of_mongoexport_is_the_id_of_its_event():
    line = a_line(_id={"$oid": "0123456789ab0123456789ab"}, time={"$date": 1789217700123})
    [event] = parsed(line)
    assert event["id"] == "0123456789ab0123456789ab"
    assert event["timestamp"].microsecond == 123000


def test_a_line_may_hold_the_record_of_an_event_type():
    record = EventType(name="edx.video.played", description="A video began to play.")
    assert parsed(record.to_line()) == [record]
    assert parsed(WRAPPED["Docker"](record.to_line().rstrip())) == [record]


@pytest.mark.parametrize("line", [b"", b" \r\n", b"\xef\xbb\xbf"])
def test_an_empty_line_holds_nothing(line):
    assert parse_line(line) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"plain text", "there is no object"),
        (b'{"name": "n", "context": "x": 1}', "Expecting ',' delimiter at column 29"),
        (b'prefix {"name": "n', "Unterminated string starting at column 17"),
        (b"{" * 100_000, "there is no object"),
        (b'{"a" ' * 100_000, "Expecting ':' delimiter"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"{}", "neither name nor event_type is a text"),
        (b'{"name": 3, "time": "2026-09-12"}', "neither name nor event_type is a text"),
        (b'{"name": "n"}', "neither time nor timestamp is there"),
        (b'{"name": "n", "time": "yesterday"}', "its time is not RFC 3339"),
        (b'{"name": "n", "time": 1789217700}', "its time is not RFC 3339"),
        (b'{"name": "n", "time": "0001-01-01T00:00+14:00"}', "its time is not RFC 3339"),
        (b'{"name": "n", "time": "2026-09-12", "context": [1]}', "context is not an object"),
        (b'{"name": "n", "time": "2026-09-12", "data": %s}' % (b"1" * 5000), "too many digits"),
        (b'{"\x80": 1}', "not UTF-8 text (byte 3)"),
        (b'{"event_type": {"name": "n"}}', "has no kind"),
    ],
)
def test_a_line_that_is_no_event_is_rejected_with_the_reason(line, reason):
    [rejected] = parse_line(line)
    assert reason in rejected.reason


@given(st.binary() | st.text().map(str.encode))
def test_whatever_a_line_holds_it_is_an_event_empty_or_rejected(line):
    assert all(isinstance(entry, Rejected) or UUID(entry["id"]) for entry in parse_line(line))


@pytest.mark.slow
@given(
    record=st.fixed_dictionaries(
        {"name": st.text(min_size=1), "time": st.datetimes().map(lambda time: f"{time}Z")},
        optional={"event": JSON, "context": st.dictionaries(st.text(), JSON), "page": JSON},
    )
)
def test_any_event_that_has_a_name_and_a_time_is_taken_and_keeps_its_id(record):
    [event] = parsed(json.dumps(record))
    assert [event] == parsed(json.dumps(record, sort_keys=True, indent=1)) or (
        "NaN" in json.dumps(record)
    )
    assert event["name"] == record["name"]
    assert event["timestamp"].tzinfo is UTC
    assert UUID(event["id"]).version == 7
    assert type(event["context"]) is type(event["data"]) is dict


@given(data=st.dictionaries(st.text(), JSON, max_size=4) | st.lists(st.floats(allow_nan=False)))
def test_the_id_of_a_line_is_made_of_what_json_dumps_writes(data):
    record = {"name": "n", "time": "2026-09-12T12:55:00Z", "event": {"held": data}}
    line = json.dumps(record)
    if "NaN" in line or "Infinity" in line:  # stored as null
        return
    digest = sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    [event] = parsed(line)
    assert event["id"].replace("-", "")[20:] == digest[8:20]
