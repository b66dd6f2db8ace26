"""Removing what must not leave."""

from __future__ import annotations

import json
from collections import OrderedDict, UserDict
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventtracking_core.encoding import encode_json, encode_msgpack
from eventtracking_core.processors.redact import Redact

SECRET = "203.0.113.7"


@dataclass
class Person:
    ip: str
    name: str = "Ann"


class Slotted:
    __slots__ = ("ip",)

    def __init__(self, ip):
        self.ip = ip


class Pair(NamedTuple):
    number: int
    person: Person


class Field(Enum):
    IP = "ip"


WHEREVER = {
    "in a list": [{"ip": SECRET}, {"ip": SECRET}],
    "in a list of lists": [[[{"ip": SECRET}]]],
    "in a tuple": ({"ip": SECRET},),
    "in a named tuple": Pair(1, Person(SECRET)),
    "in a foreign mapping": MappingProxyType({"ip": SECRET}),
    "in a UserDict": UserDict(ip=SECRET),
    "in an OrderedDict": OrderedDict(ip=SECRET),
    "in a dataclass": Person(SECRET),
    "in a list of dataclasses": [Person(SECRET), Person(SECRET)],
    "in a foreign mapping in a list": [MappingProxyType({"ip": SECRET})],
    "in a large foreign mapping": OrderedDict({f"k{n}": n for n in range(30_000)}, ip=SECRET),
    "under a key of an enumeration": {Field.IP: SECRET},
    "in a list that is shared a million million times": reduce(
        lambda inner, _: [inner, inner], range(40), [{"ip": SECRET}]
    ),
    "below 10,000 lists": reduce(lambda inner, _: [inner], range(10_000), {"ip": SECRET}),
}


@pytest.mark.slow
@pytest.mark.parametrize("where", WHEREVER)
@pytest.mark.parametrize("encode", [encode_json, encode_msgpack])
def test_the_field_is_in_no_form_of_the_event(where, encode, processed, an_event):
    event = an_event({"left": "alone", "user": WHEREVER[where]})

    encoded = encode(processed(Redact(["data.user.ip", "data.user.person.ip"]), event))

    assert SECRET.encode() not in encoded
    assert b"alone" in encoded


@pytest.mark.parametrize(
    ("field", "data"),
    [
        ("data.user.ip", {"user.ip": SECRET}),
        ("data.user.home.ip", {"user": {"home.ip": SECRET}}),
        ("data.user.home.ip", {"user.home": {"ip": SECRET}}),
        ("data.user.ip", {"user.ip": SECRET, "user": {"ip": SECRET}}),
        ("data.user.ip", {"user": {"ip": {"v4": SECRET, "v6": [SECRET]}}}),
        ("data.user", {"user": {"ip": SECRET}}),
        ("data.user", {"user.ip": SECRET}),
        ("data.user", {"user.home.ip": SECRET, "user": SECRET}),
        ("data.user.home", {"user": {"home.ip": SECRET}}),
        ("data.5", {5: SECRET}),
        ("data.user.5", {"user": {5: SECRET}}),
        ("data.user.ip", {"user": {"ip": None}}),
        ("data.5", {5: SECRET, "5": SECRET}),
        ("data.5", {"5": SECRET, "5~2": SECRET, "5~3": SECRET}),
        ("data.user.5", {"user": {5: SECRET, "5": SECRET}}),
        ("data.user.5", {"user.5": SECRET, "user.5~2": SECRET}),
        ("data.ip", {"i\0p": SECRET}),
        ("data.ip", {"ip": SECRET, "ip\0": SECRET}),
        ("data.user.ip", {"user": {"ip\0": SECRET}}),
        ("data.user.ip", {"user\0": {"ip": SECRET}}),
        ("data.user", {"user\0.ip": SECRET}),
        ("data.😀", {"\ud83d\ude00": SECRET}),
    ],
)
def test_the_field_is_found_however_it_is_written(field, data, processed, an_event):
    left = json.loads(encode_json(processed(Redact([field]), an_event(data))))["data"]

    assert left in ({}, {"user": {}}, {"user.home": {}})


def test_the_data_may_be_no_dict_at_all(processed, an_event):
    event = an_event(MappingProxyType({"ip": SECRET}), context={"ip": SECRET})
    event = processed(Redact(["data.ip", "context.ip"]), event)

    assert (event["data"], event["context"]) == ({}, {})


def test_what_cannot_be_looked_into_has_no_fields(processed, an_event):
    event = an_event({"user": SimpleNamespace(ip=SECRET), "slotted": Slotted(SECRET)})

    encoded = encode_json(processed(Redact(["data.user.ip", "data.slotted.ip"]), event))

    assert SECRET.encode() not in encoded


def test_a_replacement_stands_in_the_fields_place(processed, an_event):
    event = an_event({"ip": SECRET, "users": [{"ip": SECRET}, {"name": "Ann"}]})
    left = processed(Redact(["data.ip", "data.users.ip"], replacement="***"), event)["data"]

    assert left == {"ip": "***", "users": [{"ip": "***"}, {"name": "Ann"}]}


def test_an_event_without_the_field_is_handed_on_as_it_is(processed, an_event):
    event = an_event({"user": {"name": "Ann"}, "list": [1, {"a": 2}]})

    assert processed(Redact(["data.user.ip", "data.list.ip", "context.ip"]), event) is event


def test_an_event_without_a_context_loses_the_fields_of_its_data():
    redact = Redact(["context.ip", "data.ip"])

    assert redact({"name": "a.b", "data": {"ip": SECRET}}) == {"name": "a.b", "data": {}}  # type: ignore[typeddict-item]


def test_only_the_path_to_the_field_is_copied(processed, an_event):
    event = an_event({"user": {"ip": SECRET}, "other": {"a": 1}})
    left = processed(Redact(["data.user.ip"]), event)

    assert left["data"]["other"] is event["data"]["other"]
    assert left["context"] is event["context"]


KEYS = st.sampled_from(["ip", "user", "user.ip", "x"])
TREES = st.recursive(
    st.just(1) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4).map(MappingProxyType)
    ),
    max_leaves=15,
)


def paths(value, above=""):
    """Yield the dotted path of every value, lists not counted as a step."""
    yield above
    if isinstance(value, dict | MappingProxyType):
        for key, item in value.items():
            yield from paths(item, f"{above}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from paths(item, above)


@settings(max_examples=50, deadline=None)
@given(data=st.dictionaries(KEYS, TREES, max_size=4))
def test_no_value_is_left_at_the_path_and_all_others_are(data, processed, an_event):
    left = processed(Redact(["data.user.ip"]), an_event(data))["data"]

    kept = [path for path in paths(data) if not f"{path}.".startswith(".user.ip.")]
    assert sorted(paths(left)) == sorted(kept)


@settings(max_examples=100, deadline=None)
@given(data=st.dictionaries(KEYS, TREES, max_size=4))
def test_what_events_before_had_makes_no_difference(data, processed, an_event):
    left = processed(Redact(["data.user"]), an_event(data))["data"]

    kept = [path for path in paths(data) if not f"{path}.".startswith(".user.")]
    assert sorted(paths(left)) == sorted(kept)


class Disguised(str):
    """A key that says it is another one."""

    __slots__ = ()

    def __eq__(self, other):
        return other == "name"

    def __hash__(self):
        return hash("name")


@pytest.mark.parametrize("key", [Disguised("ip"), "ip.v4"])
def test_keys_that_were_seen_before_hide_no_other_ones(key, processed, an_event):
    redact = Redact(["data.ip"])
    for _ in range(2):
        left = processed(redact, an_event({"name": "Ann", "ip": SECRET}))
        assert left["data"] == {"name": "Ann"}

    left = processed(redact, an_event({key: SECRET, "city": "Bonn"}))

    assert SECRET.encode() not in encode_json(left)
