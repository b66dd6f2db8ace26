"""What holds for every built-in processor."""

from __future__ import annotations

import copy
from contextlib import suppress
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.plugins import plugins
from eventtracking_core.processors.add import Add
from eventtracking_core.processors.drop_pii import DropPii
from eventtracking_core.processors.match import Match
from eventtracking_core.processors.name_allowlist import NameAllowlist
from eventtracking_core.processors.pseudonymize import Pseudonymize
from eventtracking_core.processors.redact import Redact
from eventtracking_core.processors.regex_filter import RegexFilter
from eventtracking_core.processors.rename import Rename
from eventtracking_core.processors.sample import Sample
from eventtracking_core.processors.truncate import Truncate
from eventtracking_core.processors.truncate_ip import TruncateIp

FIELDS = ["data.a", "data.a.b", "data.b.a.b", "context.a", "context.a.a"]

ALL = {
    "add": Add({field: {"b": [1]} for field in FIELDS}),
    "add, overwriting": Add(dict.fromkeys(FIELDS, 1), overwrite=True),
    "drop_pii": DropPii(unclassified="pass"),
    "match": Match({field: ["x", 1] for field in FIELDS}),
    "name_allowlist": NameAllowlist(["name"]),
    "pseudonymize": Pseudonymize("k" * 32, FIELDS),
    "redact": Redact(FIELDS),
    "redact, replacing": Redact(FIELDS, replacement="***"),
    "regex_filter": RegexFilter("allowlist", ["n.*"]),
    "rename": Rename({"name": "other"}, dict.fromkeys(FIELDS, "c")),
    "sample": Sample(0.5),
    "truncate": Truncate(1),
    "truncate_ip": TruncateIp(FIELDS),
}

KEYS = st.sampled_from(["a", "b", "c", "a.b", "b.a.b"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4).map(MappingProxyType)
    ),
    max_leaves=12,
)
PARTS = st.dictionaries(KEYS, VALUES, max_size=4)


def plain(value):
    """Return a value that can be compared and copied."""
    if isinstance(value, dict | MappingProxyType):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    return value


@pytest.mark.parametrize("processor", ALL.values(), ids=ALL.keys())
@settings(max_examples=25, deadline=None)
@given(context=PARTS, data=PARTS, name=st.sampled_from(["name", "other"]))
def test_an_event_that_is_given_is_never_changed(processor, context, data, name):
    event = {"id": "1", "name": name, "context": context, "data": data}
    before = copy.deepcopy(plain(event))
    with suppress(et.EventEmissionExit):
        processor(event)

    assert plain(event) == before


@pytest.mark.parametrize("processor", ALL.values(), ids=ALL.keys())
def test_it_says_that_it_never_changes_one(processor):
    assert processor.mutates is False


@pytest.mark.parametrize("name", sorted({name.partition(",")[0] for name in ALL}))
def test_it_is_known_to_configurations_by_its_name(name):
    found = plugins.find("processor", name)

    assert type(ALL[name]) is found
    assert found.__doc__


@pytest.mark.parametrize(
    "made",
    [
        lambda field: Add({field: 1}),
        lambda field: Match({field: 1}),
        lambda field: Pseudonymize("k" * 32, [field]),
        lambda field: Redact([field]),
        lambda field: Rename(fields={field: "new"}),
        lambda field: TruncateIp([field]),
    ],
    ids=["add", "match", "pseudonymize", "redact", "rename", "truncate_ip"],
)
@pytest.mark.parametrize(
    "field", ["ip", "context", "data", "name", "hunter2.ip", "data.", "data..ip", ""]
)
def test_a_field_lies_below_context_or_data(made, field):
    with pytest.raises(ValueError, match=r"context\.name or data\.name") as caught:
        made(field)

    assert "hunter2" not in str(caught.value)
