"""Processors that let events through or drop them."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventtracking_core.processors.match import Match
from eventtracking_core.processors.name_allowlist import NameAllowlist
from eventtracking_core.processors.regex_filter import RegexFilter
from eventtracking_core.processors.sample import Sample


@pytest.mark.parametrize(
    ("name", "expected"), [("a", True), ("b", True), ("aa", False), ("A", False), ("", False)]
)
def test_the_allowlist_lets_exactly_its_names_through(name, expected, passes, an_event):
    assert passes(NameAllowlist(["a", "b"]), an_event(name=name)) is expected


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        ("edx.problem", True),
        ("edx.", True),
        ("my.edx.problem", False),
        ("edx", False),
        ("edxXproblem", False),
        ("Edx.problem", False),
        ("page_close", True),
        ("page_close.not", False),
    ],
)
def test_a_pattern_matches_the_whole_name(name, matches, passes, an_event):
    patterns = [r"edx\..*", "page_close"]

    assert passes(RegexFilter("allowlist", patterns), an_event(name=name)) is matches
    assert passes(RegexFilter("blocklist", patterns), an_event(name=name)) is not matches


def test_without_patterns_nothing_matches(passes, an_event):
    assert passes(RegexFilter("allowlist", []), an_event()) is False
    assert passes(RegexFilter("blocklist", []), an_event()) is True


@settings(max_examples=50, deadline=None)
@given(names=st.lists(st.text("ab.", max_size=3), max_size=30))
def test_the_answer_for_a_name_is_always_the_same(names, passes, an_event):
    regex_filter = RegexFilter("allowlist", ["a+", r"b\..*"])
    answers = [(name, passes(regex_filter, an_event(name=name))) for name in names * 2]

    assert len(set(answers)) == len(set(names))


def test_a_pattern_that_does_not_compile_is_named_by_its_place():
    with pytest.raises(ValueError, match=r"regular_expressions\[1\].* 7"):
        RegexFilter("allowlist", ["fine", "hunter2("])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"data.success": "correct"}, True),
        ({"data.success": ["correct", "partial"]}, True),
        ({"data.success": "incorrect"}, False),
        ({"data.success": "correct", "context.org": "edX"}, True),
        ({"data.success": "correct", "context.org": "MITx"}, False),
        ({"data.missing": "correct"}, False),
        ({"data.missing": None}, False),
        ({"data.nothing": None}, True),
        ({"data.problem.id": "p1"}, True),
        ({"data.answers.value": 2}, True),
        ({"data.answers.value": 4}, False),
        ({"data.dotted.key": 1}, True),
        ({"data.foreign.key": 1}, True),
    ],
)
def test_an_event_matches_where_every_field_has_a_wanted_value(fields, expected, passes, an_event):
    event = an_event(
        {
            "success": "correct",
            "nothing": None,
            "problem": {"id": "p1"},
            "answers": [{"value": 1}, {"value": 2}, "no answer"],
            "dotted.key": 1,
            "foreign": MappingProxyType({"key": 1}),
        },
        context={"org": "edX"},
    )

    assert passes(Match(fields), event) is expected
    assert passes(Match(fields, action="drop"), event) is not expected


def test_a_match_needs_a_field():
    with pytest.raises(ValueError, match="at least one field"):
        Match({})


def test_the_same_events_are_sampled_everywhere(passes, an_event):
    kept = [
        number
        for number in range(10)
        if passes(Sample(0.5), an_event(id=f"01997c9e-0000-7000-8000-{number:012}"))
    ]

    assert kept == [2, 3, 6, 7]  # a fixed answer: any process, any version


@pytest.mark.parametrize("rate", [0.01, 0.25, 0.5, 0.99])
def test_about_the_share_asked_for_is_kept(rate, passes, an_event):
    sample = Sample(rate)
    kept = sum(passes(sample, an_event()) for _ in range(4_000))

    assert abs(kept / 4_000 - rate) < 0.05


@settings(max_examples=50, deadline=None)
@given(rate=st.floats(0, 1))
def test_a_larger_share_keeps_what_a_smaller_one_keeps(rate, passes, an_event):
    event = an_event()

    assert passes(Sample(rate), event) <= passes(Sample((1 + rate) / 2), event)
    assert passes(Sample(1.0), event)
    assert not passes(Sample(0.0), event)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_share_lies_between_none_and_all(rate):
    with pytest.raises(ValueError, match="between 0 and 1"):
        Sample(rate)
