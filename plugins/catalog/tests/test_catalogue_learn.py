"""The draft of a module, from the events of a log."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_catalog.checking import Checker
from eventtracking_catalog.collecting import Collection
from eventtracking_catalog.exporting.python import module
from eventtracking_catalog.learning import draft
from eventtracking_catalog.observation import Observation

EDX = (
    "2026-09-12 12:55:00,123 INFO 20 [tracking] [user 7] [ip 192.0.2.9] logger.py:41 - "
    r'{"event_type": "problem_check", "time": "2026-09-12T12:55:00Z", "context": {"user_id": 7}, '
    r'"event": "{\"success\": \"correct\", \"answers\": {\"9f3a7c21b0_2_1\": \"a\"}}", "ip": ""}'
)


@pytest.fixture
def varied(log, an_event):
    """A log with what makes drafts hard: odd names, nested objects, fields that come and go."""
    return log(
        an_event(data={"items": 2, "at": {"city": "Y", "zip": "1"}, "note": None}),
        an_event(data={"items": 2.5, "at": {"city": "Z"}, "size": "s"}),
        an_event("page_close", {"class": 1, "i4x-edX": "a", "x": {}}),
        an_event("page_close", {"class": None}),
        an_event("/courses/c/problem_check", {"int": None, "list": [1], "None": 1}),
        an_event("1.2.3", {"_private": 1, "self": 2}),
        an_event('shop "quoted"\\ \u2028 name', {'"""': 1}),
        an_event("shop.order.item", [1, 2]),
        an_event("keys.vary", {"input_9f3a7c21b0_2_1": "a", "attempts": 1, "a.b": 2, "": 3}),
        an_event("keys.many", {f"k{chr(97 + n // 9)}{chr(97 + n % 9)}": n for n in range(80)}),
        EDX,
        "no event",
    )


def test_it_declares_each_event_with_what_was_seen(run, log, an_event):
    path = log(
        an_event(data={"total": 3, "buyer_email": "ada@example.org", "at": {"city": "Paris"}}),
        an_event(data={"total": 4, "buyer_email": "ada@example.org", "gift": True}),
    )
    out = run("learn", path).out
    assert '@event("shop.order.placed")\nclass ShopOrderPlaced:' in out
    assert '    total: Annotated[int, Doc("")]' in out
    assert '    buyer_email: Annotated[str, Doc(""), PII("email")]' in out
    assert '    gift: Annotated[bool | None, Doc("")] = None' in out
    assert '    at: Annotated[ShopOrderPlacedAt | None, Doc("")] = None' in out
    assert "ada" not in out
    assert "Paris" not in out


def test_what_it_learned_from_a_log_the_log_satisfies(program, varied, tmp_path):
    learned = program("learn", varied)
    assert learned.code == 0
    assert learned.err == "1 line was no event\n"
    (tmp_path / "learned.py").write_text(learned.out)
    ran = program("validate", varied, "--types", "learned")
    assert (ran.code, ran.out) == (0, "0 violations in 11 events, 1 line was no event\n"), ran.err


def test_keys_that_are_values_leave_an_event_open(run, log, an_event):
    path = log(an_event(data={"input_9f3a7c21b0_2_1": "secret", "attempts": 1}))
    out = run("learn", path).out
    assert "'additionalProperties': True" in out
    assert "attempts" in out
    assert "9f3a7c21b0" not in out


def test_a_log_without_events_teaches_nothing(run, log):
    ran = run("learn", log("no event"))
    assert ran.code == 1
    assert "no events to learn from" in ran.err


NAMES = st.text(max_size=12) | st.sampled_from(["class", "int", "Doc", "event", "a.b", "_x", "é"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.once
@given(st.lists(st.tuples(NAMES.filter(bool), st.dictionaries(NAMES, VALUES)), max_size=4))
def test_whatever_was_seen_the_draft_is_python(an_event, seen):
    from datetime import datetime

    into = Collection()
    for name, data in seen:
        event = an_event(name, data)
        into.event({**event, "timestamp": datetime.fromisoformat(event["timestamp"])})
    ast.parse(draft(into.catalogue(), "tracking.log"))


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=5), min_size=1, max_size=5))
def test_whatever_was_seen_the_inferred_record_allows(seen):
    observation = Observation("shop.order.placed")
    events = [{"data": data, "context": data, "name": "shop.order.placed"} for data in seen]
    for event in events:
        observation.add(event)
    record, checker = observation.inferred(), Checker()
    assert [list(checker.violations(event, record)) for event in events] == [[]] * len(events)


@given(st.text(max_size=40))
def test_no_description_ends_its_literal(a_record, text):
    record = a_record(description=text, fields={"total": {"description": text, "pii": "id"}})
    tree = ast.parse(module([record], text))
    [declared] = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert len(declared.body) == (2 if text else 1)
