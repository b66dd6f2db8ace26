"""Options become what the annotations of a constructor say."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend

if TYPE_CHECKING:
    from decimal import Decimal


class Unresolvable:
    """Has an annotation that is not there at run time."""

    def __init__(self, price: Decimal) -> None: ...

    def send(self, event: et.Event) -> None: ...


class Refusing:
    """Refuses whatever it is given, in words that are options of every node."""

    def __init__(self, name: str = "") -> None:
        raise ValueError("the type, the delivery and the name are wrong")

    def send(self, event: et.Event) -> None: ...


def test_no_complaint_of_a_constructor_is_lost(problems):
    message = "the type, the delivery and the name are wrong"
    node = {"type": f"{__name__}:Refusing", "name": "x", "delivery": "queue"}

    assert problems({"backends": {"a": node}}) == [("backends.a", message)]
    assert problems({"backends": {"a": node["type"]}}) == [("backends.a", message)]


@pytest.mark.parametrize(
    ("option", "given", "expected"),
    [
        ("share", 1, 1.0),
        ("numbers", [1, 2], [1, 2]),
        ("numbers", None, None),
        ("table", {"a": {"b": [1]}}, {"a": {"b": [1]}}),
        ("choice", "b", "b"),
        ("delay", 2, 2.0),
        ("path", "/var/log", Path("/var/log")),
        ("path", Path("a"), Path("a")),
        ("pattern", "a+", re.compile("a+")),
        ("size", 10, 10),
        ("size", "10 B", 10),
        ("size", "64 MiB", 64 * 2**20),
        ("size", "64MiB", 64 * 2**20),
        ("size", "1.5 KiB", 1536),
        ("size", " 2 kb ", 2000),
        ("size", "1 GB", 10**9),
        ("limit", "1 GiB", 2**30),
        ("limit", None, None),
        ("delay", "30s", 30.0),
        ("delay", "250 ms", 0.25),
        ("delay", "10m", 600.0),
        ("delay", "2h", 7200.0),
        ("delay", "1.5d", 129_600.0),
        ("delay", " 1w ", 604_800.0),
        ("delay", "7 min", 420.0),
        ("period", "2h", 7200.0),
        ("period", "hour", "hour"),
        ("period", None, None),
        ("delays", {"a": "2h", "b": 1}, {"a": 7200.0, "b": 1.0}),
        ("sizes", ["1 KiB", 5], [1024, 5]),
    ],
)
def test_a_value_is_converted(option, given, expected, shown):
    assert shown(**{option: given}) == {option: expected}


@pytest.mark.parametrize(
    ("option", "given", "message"),
    [
        ("text", 5, "expected str, got int"),
        ("number", "5", "expected int, got str"),
        ("number", 5.5, "expected int, got float"),
        ("number", True, "expected int, got bool"),
        ("share", "0.5", "expected float, got str"),
        ("on", 1, "expected bool, got int"),
        ("numbers", "1,2", "expected list, got str"),
        ("table", [1], "expected table, got list"),
        ("choice", "hunter2", "expected one of: a, b"),
        ("size", "64 parsecs", "unknown unit of size (expected one of: B, KB, MB, GB, KiB, "),
        ("delay", "64 parsecs", "unknown unit of time (expected one of: ms, s, m, h, d, w)"),
        ("delay", "soon", "expected duration (seconds, or text such as 30s, 2h, 3d), got str"),
        ("delay", -1, "must not be negative"),
        ("delay", math.nan, "must be a finite number"),
        ("delay", math.inf, "must be a finite number"),
        ("delay", 1e308, "must not be more than a hundred years"),
        ("share", math.nan, "must be a finite number"),
        ("share", -math.inf, "must be a finite number"),
        ("share", 10**400, "number out of range"),
        ("number", 10**20, "is too large a number"),
        ("number", -(10**20), "is too large a number"),
        ("size", -1, "must not be negative"),
        ("limit", -1, "must not be negative"),
        ("size", "a lot", "expected size (bytes, or text such as 64 MiB), got str"),
        ("size", "-5 MiB", "expected size (bytes, or text such as 64 MiB), got str"),
        ("path", 5, "expected Path, got int"),
    ],
)
def test_a_value_of_another_type_is_a_problem(option, given, message, problems):
    ((path, said),) = problems(
        {"backends": {"a": {"type": "testing.showing", option: given}}}
    )  # fmt: skip

    assert path == f"backends.a.{option}"
    assert said.startswith(message)
    assert "hunter2" not in said


def test_a_problem_within_a_value_says_where(problems):
    node = {"type": "testing.showing", "numbers": [1, "two", 3]}

    assert problems({"backends": {"a": node}}) == [
        ("backends.a.numbers[1]", "expected int, got str")
    ]


def test_a_pattern_that_does_not_compile_is_a_problem(problems):
    ((path, _),) = problems(
        {"backends": {"a": {"type": "testing.showing", "pattern": "hunter2("}}}
    )  # fmt: skip

    assert path == "backends.a.pattern"


def test_a_constructor_with_keywords_of_any_name_gets_them_all(configured):
    node = {"type": "testing.openended", "a": 1, "b": {"c": [2]}}

    assert configured({"backends": {"x": node}}).get_backend("x").options == {
        "a": 1, "b": {"c": [2]},
    }  # fmt: skip


def test_a_type_that_takes_backends_and_processors_gets_them_built(configured):
    memory = MemoryBackend()
    node = {
        "type": "testing.composite",
        "name": "both",
        "processors": [{"type": "sample", "rate": 1.0}],
        "backends": {"a": memory, "b": {"backends": {"c": "null"}}, "d": "memory"},
    }
    composite = configured({"backends": {"x": node}}).get_backend("x")

    assert composite.name == "both"
    assert callable(composite.processors[0])
    assert list(composite.backends) == ["a", "b", "d"]
    assert composite.backends["a"] is memory
    assert isinstance(composite.backends["b"], et.RoutingBackend)
    assert isinstance(composite.backends["d"], MemoryBackend)


def test_annotations_that_cannot_be_resolved_are_a_problem_that_says_so(problems):
    ((path, message),) = problems({"backends": {"a": {"type": f"{__name__}:Unresolvable"}}})

    assert path == "backends.a.type"
    assert "its annotations cannot be resolved at run time: NameError" in message


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.just("hunter2") | st.just("null"),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["type", "backends", "processors", "delivery", "a", "ENGINE", "OPTIONS", "mode"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["backends", "processors", "context", "disable", "shutdown_timeout"]),
        VALUES,
        max_size=4,
    )
)
def test_a_configuration_of_any_shape_is_built_or_refused_and_no_value_is_printed(config):
    tracker, problems = et.Tracker(), []
    try:
        tracker.configure(config)
    except et.ConfigurationError as error:
        problems = error.problems
    tracker.shutdown(1)

    # The name of a type is quoted: it is no option's value.
    assert not [p for p in problems if "hunter2" in str(p) and not p.path.endswith(".type")]
