"""Processors that add, rename and cut."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.encoding import encode_json
from eventtracking_core.processors.add import Add
from eventtracking_core.processors.rename import Rename
from eventtracking_core.processors.truncate import Truncate


@dataclass
class Person:
    name: str


def test_fields_are_added_however_deep_they_are(processed, an_event):
    add = Add({"context.environment": "staging", "data.user.role": "staff", "data.a.b.c": 1})
    event = processed(add, an_event({"user": {"name": "Ann"}}))

    assert event["context"] == {"environment": "staging"}
    assert event["data"] == {"user": {"name": "Ann", "role": "staff"}, "a": {"b": {"c": 1}}}


@pytest.mark.parametrize(("overwrite", "expected"), [(False, "there"), (True, "new")])
def test_a_value_that_is_there_is_replaced_only_where_that_is_said(
    overwrite, expected, processed, an_event
):
    event = processed(Add({"data.a": "new"}, overwrite=overwrite), an_event({"a": "there"}))

    assert event["data"] == {"a": expected}


@pytest.mark.parametrize("there", [5, "text", [1, 2]])
def test_a_value_on_the_way_to_the_field_is_not_lost(there, processed, an_event):
    event = processed(Add({"data.a.b": "new"}), an_event({"a": there}))

    assert event["data"] == {"a": there}


@pytest.mark.parametrize("person", [MappingProxyType({"name": "Ann"}), Person("Ann")])
def test_a_record_on_the_way_keeps_its_fields(person, processed, an_event):
    event = processed(Add({"data.user.role": "staff"}), an_event({"user": person}))

    assert event["data"] == {"user": {"name": "Ann", "role": "staff"}}


def test_an_added_value_is_every_events_own():
    memory = MemoryBackend()
    tracker = et.Tracker(
        {"memory": memory},
        processors=[Add({"data.tags": []}), lambda event: event["data"]["tags"].append(1)],
    )
    tracker.emit("name")
    tracker.emit("name")

    assert [event["data"]["tags"] for event in memory.events] == [[1], [1]]


def test_events_and_fields_get_their_new_names(processed, an_event):
    rename = Rename(
        {"old": "new"}, {"context.uid": "user_id", "data.user.mail": "email", "data.list.a": "b"}
    )
    event = processed(
        rename,
        an_event(
            {"user": {"mail": "a@b.c", "x": 1}, "list": [{"a": 1}, {"c": 2}]},
            name="old",
            context={"uid": 1},
        ),
    )

    assert event["name"] == "new"
    assert event["context"] == {"user_id": 1}
    assert event["data"] == {"user": {"email": "a@b.c", "x": 1}, "list": [{"b": 1}, {"c": 2}]}


@pytest.mark.parametrize("value", [None, 0, False, "", [], {}])
def test_a_field_is_renamed_whatever_its_value(value, processed, an_event):
    rename = Rename(fields={"data.a.old": "new", "data.old": "new"})
    event = processed(rename, an_event({"a": {"old": value}, "old": value}))

    assert event["data"] == {"a": {"new": value}, "new": value}


def test_other_events_keep_their_names(processed, an_event):
    event = an_event({"a": 1})

    assert processed(Rename({"old": "new"}, {"data.old": "new"}), event) is event


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


@settings(max_examples=50, deadline=None)
@given(
    data=st.dictionaries(
        st.text(max_size=3),
        st.recursive(
            st.text(max_size=9) | st.integers(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
        ),
        max_size=3,
    ),
    max_length=st.integers(1, 9),
)
def test_no_text_is_longer_than_the_limit(data, max_length, processed, an_event):
    event = processed(Truncate(max_length), an_event(data, context=data))

    for part in ("context", "data"):
        before, after = list(texts(data)), list(texts(event[part]))
        assert len(before) == len(after)
        for old, new in zip(before, after, strict=True):
            assert new == old if len(old) <= max_length else new == old[: max_length - 1] + "…"


@pytest.mark.parametrize(
    "holder",
    [("too long",), MappingProxyType({"text": "too long"}), Person("too long"), {"too long"}],
    ids=lambda holder: type(holder).__name__,
)
def test_a_long_text_is_cut_in_whatever_holds_it(holder, processed, an_event):
    encoded = encode_json(processed(Truncate(4), an_event({"holder": holder})))

    assert "too…" in encoded.decode()
    assert b"too long" not in encoded


def test_an_event_without_long_texts_is_handed_on_as_it_is(processed, an_event):
    event = an_event({"a": ["short", {"b": "short"}], "n": 5})

    assert processed(Truncate(5), event) is event


@pytest.mark.parametrize("max_length", [0, -1])
def test_a_limit_is_positive(max_length):
    with pytest.raises(ValueError, match="positive"):
        Truncate(max_length)
