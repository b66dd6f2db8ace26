"""Pseudonyms: always the same, and telling nothing."""

from __future__ import annotations

import hmac
import json
import re
from datetime import UTC, datetime
from math import inf, nan
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.encoding import decode_json, decode_msgpack, encode_json, encode_msgpack
from eventtracking_core.processors.pseudonymize import Pseudonymize

KEY = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"


def pseudonym(value, key=KEY, field="data.user"):
    """Return what stands in the value's place."""
    part, name = field.split(".")
    event = {"id": "1", "name": "n", "context": {}, "data": {}, part: {name: value}}
    return Pseudonymize(key, [field])(event)[part][name]


SCALARS = st.text() | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.binary()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6
)


@given(value=st.text())
@example("\ud800")
def test_it_is_the_first_half_of_the_hmac_of_the_text(value):
    text = value.encode("utf-8", "surrogatepass")

    assert pseudonym(value) == hmac.digest(KEY.encode(), text, "sha256").hex()[:32]


@pytest.mark.parametrize("value", [None, nan, inf, -inf])
def test_what_is_null_in_json_stays_null(value):
    assert pseudonym(value) is None
    assert pseudonym([value, "a"]) == [None, pseudonym("a")]


@pytest.mark.slow
@settings(deadline=None)
@given(value=VALUES)
@example([inf])
def test_it_is_the_same_for_every_field_and_object_and_another_for_another_key(value):
    first = pseudonym(value)

    assert pseudonym(value, field="context.other") == first
    assert pseudonym(value) == first
    if re.search("[0-9a-f]{32}", json.dumps(first)):  # not null, nor a list of nothing
        assert pseudonym(value, OTHER) != first


@settings(deadline=None)
@given(value=st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**63), 2**64))
def test_it_is_the_same_before_and_after_storage(value):
    event = {"id": "1", "name": "n", "context": {}, "data": {"user": value}}
    event |= {"timestamp": datetime.now(UTC)}
    for stored in (decode_json(encode_json(event)), decode_msgpack(encode_msgpack(event))):
        assert pseudonym(stored["data"]["user"]) == pseudonym(value)


@given(value=st.integers())
def test_a_number_has_the_pseudonym_of_its_text(value):
    assert pseudonym(value) == pseudonym(str(value))


def test_equal_values_of_other_types_have_one_pseudonym():
    class Safe(str):
        __slots__ = ()

    number = UUID("01997c9e-0000-7000-8000-000000000001")

    assert pseudonym(Safe("ann")) == pseudonym("ann")
    assert pseudonym(number) == pseudonym(str(number))
    assert pseudonym({"a": 1, "b": 2}) == pseudonym({"b": 2, "a": 1})


def test_each_element_of_a_list_has_its_own():
    assert pseudonym(["ann", ["bob"]]) == [pseudonym("ann"), [pseudonym("bob")]]


def test_null_says_nothing_of_anybody():
    assert pseudonym(None) is None


def test_a_field_that_is_named_twice_is_replaced_once():
    tracker, named = et.Tracker(), {"fields": ["data.user"], "pii": ["id"], "key": KEY}
    tracker.configure(
        {"processors": [{"type": "pseudonymize", **named}], "backends": {"memory": "memory"}}
    )
    tracker.register("a.b", "", {"user": et.FieldDoc("", pii="id")})
    tracker.emit("a.b", {"user": "ann"})

    assert tracker.get_backend("memory").events[0]["data"]["user"] == pseudonym("ann")


def test_the_key_comes_from_the_environment_and_appears_nowhere(monkeypatch):
    monkeypatch.setenv("PSEUDONYM_KEY", KEY)
    tracker = et.Tracker()
    node = {"type": "pseudonymize", "key": "${PSEUDONYM_KEY}", "fields": ["data.user"]}
    tracker.configure({"processors": [node], "backends": {"memory": "memory"}})
    tracker.emit("a.b", {"user": "ann"})
    [processor] = tracker.processors

    assert tracker.get_backend("memory").events[0]["data"]["user"] == pseudonym("ann")
    assert KEY not in repr(processor) + repr(vars(processor)) + repr(tracker.stats())


@pytest.mark.parametrize("wrong", [{"fields": ["nowhere.user"]}, {"nonsense": 1}, {}])
def test_a_refused_configuration_does_not_show_the_key(wrong, refused):
    node = {"type": "pseudonymize", "key": KEY, **wrong}

    assert KEY not in refused({"processors": [node], "backends": {"memory": "memory"}})


def test_a_short_key_is_refused_without_showing_it(refused):
    node = {"type": "pseudonymize", "key": "hunter2", "fields": ["data.user"]}
    text = refused({"processors": [node], "backends": {"memory": "memory"}})

    assert "at least 32 characters" in text
    assert "hunter2" not in text
