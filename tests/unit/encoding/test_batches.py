"""Batches are encoded as their events are, and one that cannot be encoded fails alone."""

from __future__ import annotations

from collections import UserString
from datetime import UTC, datetime, time, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventtracking_core import RejectedError, RetryableError
from eventtracking_core.encoding import (
    JsonBatch,
    NormalBatch,
    encode_columns,
    encode_each,
    encode_json,
    encode_lines,
    encode_msgpack,
    encode_table,
    encode_with_columns,
    normal_from_msgpack,
    with_parts,
)

TIME = datetime(2026, 9, 12, 12, tzinfo=UTC)
TEXTS = st.text(
    st.sampled_from('aü\n\r\0\x1b\x7f\x85\u061c\u2028\u202e\u2066\\"\U0001f600'), max_size=4
)
VALUES = st.recursive(
    st.one_of(
        TEXTS,
        st.sampled_from([None, True, 2**63, -(2**63), 2**70, 1.5, b"x", TIME]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)
EVENTS = st.builds(
    lambda context, data, others: (
        {
            "id": "an id",
            "name": "a.name",
            "timestamp": TIME,
            "context": context,
            "data": data,
        }
        | others
    ),
    st.dictionaries(st.sampled_from(["user_id", "ip"]), VALUES),
    st.dictionaries(TEXTS, VALUES, max_size=3),
    st.dictionaries(st.sampled_from(["name_id", "context_type_id", "other"]), TEXTS),
)


@given(st.lists(EVENTS, max_size=4))
@settings(max_examples=50)
def test_a_batch_of_a_worker_is_encoded_as_its_events_are(events):
    decoded = [normal_from_msgpack(encode_msgpack(event)) for event in events]
    lines, failures = encode_lines(NormalBatch(decoded))
    assert lines == dict(enumerate(map(encode_json, decoded)))
    assert not failures
    assert encode_table(NormalBatch(decoded)) == encode_table(decoded)


@pytest.mark.slow
@given(
    st.lists(EVENTS, min_size=1, max_size=4),
    st.lists(st.text('{}[]",:\\aü', max_size=9), min_size=4, max_size=4),
    st.permutations(["id", "name", "timestamp", "context", "data"]),
)
def test_a_worker_reads_the_same_ids_names_and_times_from_heads_and_whole_events(
    events, texts, order
):
    batch = JsonBatch(
        [
            encode_json({key: whole[key] for key in dict.fromkeys([*order, *whole])})
            for event, text in zip(events, texts, strict=False)
            for whole in [event | {"id": text, "name": f"a{text}"}]
        ]
    )
    whole = [(each.id, each.name, each.timestamp) for each in batch.columns]
    assert [(each.id, each.name, each.timestamp) for each in batch.heads] == whole


@given(st.permutations(["a" * 200, "b", "{b}", 'c"{' * 90, "d"]))
def test_a_worker_reads_the_heads_of_a_batch_whatever_names_its_events_have(names):
    batch = JsonBatch(
        [
            encode_json(
                {
                    "id": f"{number}",
                    "name": name,
                    "timestamp": TIME,
                    "context": {"page": name} if number % 2 else {},
                    "data": {},
                }
            )
            for number, name in enumerate(names)
        ]
    )
    assert [(each.id, each.name) for each in batch.heads] == [
        (f"{number}", name) for number, name in enumerate(names)
    ]


@pytest.mark.parametrize("damaged", [float("inf"), 10**400, object()])
def test_a_value_that_no_worker_decodes_is_encoded_as_elsewhere(damaged, an_event):
    events = [an_event(n=1), an_event(n=damaged)]
    assert encode_lines(NormalBatch(events)) == encode_lines(events)


@pytest.mark.parametrize(
    ("user", "text"),
    [(7, "7"), ("7", "7"), (7.0, "7"), (2**70, str(2**70)), (True, None), ("", None), ([7], None)],
)
@pytest.mark.parametrize("batch", [list, NormalBatch])
def test_the_columns_of_an_event_are_those_of_its_json(batch, user, text, an_event):
    event = an_event(context={"user_id": user}) | {"name_id": "n"}
    table, failures = encode_table(batch([event]))
    ((encoded, event_id, name, moment, *rest),) = zip(*table, strict=True)
    assert encoded == encode_json(event)
    assert (event_id, name, moment) == (event["id"], event["name"], event["timestamp"])
    assert rest == [text, "n", None]
    assert not failures


def test_what_is_no_event_has_the_row_of_its_normal_form(an_event):
    """A time of day has no date, although it is in UTC and has a text."""
    event = an_event()
    odd = [event | {"timestamp": time(12, tzinfo=UTC)}, event | {"context": None}, {}, event]
    lines, failures = encode_columns(odd)
    assert (lines.texts[3], lines.columns[3]) == encode_with_columns(event)
    assert all(columns.moment.tzinfo for columns in lines.columns)
    assert not failures


@pytest.mark.parametrize(
    "damage",
    [
        {"id": 5},
        {"name": None},
        {"timestamp": "2026-09-12"},
        {"timestamp": "2026-13-45T25:00:00.000000Z"},
        {"context": [1]},
    ],
)
def test_a_record_of_a_file_that_is_no_event_has_the_row_of_its_normal_form(damage, an_event):
    events = [an_event(n=1), an_event(n=2) | damage]
    table, failures = encode_table(NormalBatch(events))
    assert table.ids[0] == events[0]["id"]
    assert set(map(type, table.ids + table.names)) == {str}
    assert len(table.texts) == 2
    assert not failures


def encode(event):
    if isinstance(event["data"], Exception):
        raise event["data"]
    return event["data"]


def batch(*data):
    return [{"data": each} for each in data]


def test_what_was_encoded_and_what_failed_go_by_their_place_in_the_batch():
    encoded, failures = encode_each(batch(1, ValueError("a secret"), 3), encode)
    assert encoded == {0: 1, 2: 3}
    assert list(failures) == [1]
    assert isinstance(failures[1], RejectedError)
    assert str(failures[1]) == "the event cannot be encoded (ValueError)"


@pytest.mark.parametrize("error", [RejectedError("too large"), RetryableError("no registry")])
def test_a_failure_that_has_a_class_of_ours_stays(error):
    assert encode_each(batch(error), encode) == ({}, {0: error})


@pytest.mark.parametrize(
    "unusual",
    [
        {"id": None},
        {"id": 5},
        {"id": "\ud800"},
        {"name": None},
        {"name": "a\ud800"},
        {"name": UserString("x")},
        {"name_id": 5},
        {"timestamp": None},
        {"timestamp": "2026-09-12T12:55:00Z"},
        {"timestamp": datetime(2026, 9, 12)},  # noqa: DTZ001  as applications have them
        {"timestamp": datetime(2026, 9, 12, tzinfo=timezone(timedelta(hours=5)))},
        {"context": None},
        {"data": [1]},
    ],
)
def test_a_backend_can_read_the_parts_of_any_event(unusual, an_event):
    whole = an_event()
    lacking = {part: value for part, value in an_event().items() if part not in unusual}
    events = with_parts([whole, whole | unusual, lacking])
    assert events[0] is whole
    for event in events:
        assert (event["id"] + event["name"]).encode().decode() == event["id"] + event["name"]
        assert event["timestamp"].tzinfo is UTC
        assert type(event["context"]) is type(event["data"]) is dict
    assert encode_lines(events)[0].keys() == {0, 1, 2}


def test_the_batch_of_a_worker_has_its_parts(an_event):
    batch = NormalBatch([an_event()])
    assert with_parts(batch) is batch
