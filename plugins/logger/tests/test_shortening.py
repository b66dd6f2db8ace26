"""Events that are too large are cut, field by field, and never lost."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from eventtracking_logger import LoggerBackend

MARKER = "<cut: too large>"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@pytest.fixture
def logs(logged):
    """Return a function that returns an event as it is logged, and the size of the line."""

    def log(event, max_event_size):
        logged.records.clear()
        LoggerBackend("tracking", max_event_size=max_event_size).send(event)
        (message,) = logged.messages
        return json.loads(message), len(message.encode())

    return log


def test_an_event_that_fits_is_left_alone(logs, an_event, caplog):
    event = an_event({"text": "x" * 300})
    assert logs(event, 1000)[0]["data"] == event["data"]
    assert not caplog.records


def test_the_longest_value_is_cut_and_nothing_else(logs, an_event, caplog):
    event = an_event({"short": "s" * 50, "long": "private" * 5000, "list": [1, 2, 3]})
    logged, size = logs(event, 1000)
    assert 950 < size <= 1000
    assert logged["data"]["short"] == "s" * 50
    assert logged["data"]["list"] == [1, 2, 3]
    assert logged["data"]["long"].startswith("private")
    assert logged["data"]["long"].endswith(MARKER)
    assert logged["context"] == {"user_id": 7}
    assert (logged["id"], logged["name"]) == (event["id"], event["name"])
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "private" not in caplog.text


def test_long_values_are_cut_to_the_same_length(logs, an_event):
    logged, size = logs(an_event({"a": "x" * 5000, "b": {"c": "y" * 4000}}), 1000)
    assert size <= 1000
    a, c = logged["data"]["a"], logged["data"]["b"]["c"]
    assert abs(len(a) - len(c)) < 20


def test_a_long_list_keeps_its_head(logs, an_event):
    logged, size = logs(an_event({"numbers": list(range(10_000))}), 1000)
    *head, last = logged["data"]["numbers"]
    assert size <= 1000
    assert last == MARKER
    assert head == list(range(len(head)))
    assert len(head) > 100


def test_of_very_many_fields_the_first_are_kept(logs, an_event):
    logged, size = logs(an_event({f"field_{n}": n for n in range(5000)}), 1000)
    assert size <= 1000
    assert logged["data"]["field_0"] == 0
    assert logged["data"][MARKER] == MARKER


@pytest.mark.parametrize("character", ["\u2028", "\x7f", "\x00", '"', "é", "😀"])
def test_what_is_escaped_is_cut_no_more_than_it_must_be(logs, an_event, character):
    logged, size = logs(an_event({"text": character * 5000}), 2000)
    assert 1800 < size <= 2000
    assert logged["data"]["text"].startswith(character)


def test_an_event_that_cannot_fit_is_logged_all_the_same(logs, an_event):
    event = an_event({"text": "x" * 500})
    logged, _ = logs(event, 1)
    assert (logged["id"], logged["name"]) == (event["id"], event["name"])
    assert logged["data"] == logged["context"] == {MARKER: MARKER}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.dictionaries(st.text(), values),
    context=st.dictionaries(st.text(), values),
    max_event_size=st.integers(300, 800),
)
@example(data={"a": [[["x" * 900]]]}, context={"b" * 900: 1}, max_event_size=300)
@example(data={str(n): {"k": ["v"] * n} for n in range(30)}, context={}, max_event_size=400)
def test_whatever_the_event_the_line_fits_and_says_which_event_it_is(
    logs, an_event, data, context, max_event_size
):
    event = an_event(data, context=context)
    logged, size = logs(event, max_event_size)
    assert size <= max_event_size
    assert logged["id"] == event["id"]
    assert isinstance(logged["data"], dict)
    assert isinstance(logged["context"], dict)
