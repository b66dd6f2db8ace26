"""Every option that does not convert, or that a constructor refuses, is a problem at its path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pytest

import eventtracking_core as et


@pytest.mark.parametrize("error", [RuntimeError("hunter2"), SystemExit(3), LookupError()])
def test_a_constructor_that_raises_anything_is_a_problem(error, problems):
    class Plugin:
        @et.hookimpl
        def eventtracking_backends(self):
            return {"raising": raising}

    def raising(password: str = ""):
        raise error

    from eventtracking_core.plugins import plugins

    et.register_plugin(Plugin(), "raising")
    try:
        ((path, message),) = problems(
            {"backends": {"a": {"type": "raising", "password": "hunter2"}}}
        )
    finally:
        plugins.unregister("raising")

    assert path == "backends.a"
    assert type(error).__name__ in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("node", "paths"),
    [
        (
            {"type": "sample", "rate": 2.0, "nonsense": 1},
            ["processors[0].nonsense", "processors[0].rate"],
        ),
        (
            {"type": "regex_filter", "filter_type": "x", "regular_expressions": [5, "hunter2("]},
            [
                "processors[0].filter_type",
                "processors[0].regular_expressions[0]",
                "processors[0].regular_expressions[1]",
            ],
        ),
        ({"type": "sample", "rate": "x"}, ["processors[0].rate"]),
        ({"type": "sample", "rte": 0.5}, ["processors[0].rte", "processors[0].rate"]),
    ],
)
def test_what_a_constructor_refuses_is_told_beside_what_does_not_convert(node, paths, problems):
    assert [path for path, _ in problems({"processors": [node]})] == paths


def test_each_option_that_a_constructor_refuses_is_told_at_its_place(problems):
    nodes = {
        "a": {"type": "testing.strict", "host": "", "port": -1},
        "b": {"type": "testing.strict", "host": "", "port": 0},
    }
    assert problems({"backends": nodes}) == [
        ("backends.a.port", "must be positive"),
        ("backends.a.host", "must not be empty"),
        ("backends.b", "host and port must fit"),
        ("backends.b.host", "must not be empty"),
    ]


def test_each_setting_of_delivery_is_checked_beside_the_others(problems):
    delivery = {"mode": "queue", "max_queue_size": "x", "max_spool_bytes": -1, "export_timeout": 0}
    node = {"type": "testing.strict", "delivery": delivery}

    assert [path for path, _ in problems({"backends": {"a": node}})] == [
        "backends.a.delivery.max_queue_size",
        "backends.a.delivery.max_spool_bytes",
        "backends.a.delivery.export_timeout",
        "backends.a.host",
    ]


class Sequences:
    """Takes sequences of every kind."""

    def __init__(
        self,
        some: tuple[Literal["a", "b"], ...] = (),
        others: Sequence[int] = (),
        pair: tuple[int, str] = (1, "x"),
    ) -> None:
        self.given = (some, others, pair)

    def send(self, event: et.Event) -> None: ...


def test_each_element_of_a_sequence_is_checked(problems, configured):
    node = {"type": f"{__name__}:Sequences", "some": ["a", "b", "a"], "others": [1]}
    node["pair"] = [2, "y"]
    backend = configured({"backends": {"a": node}}).get_backend("a")
    assert backend.given == (("a", "b", "a"), [1], (2, "y"))
    node |= {"some": ["x", "a", 5], "others": ["y", "z"], "pair": [1, 2]}
    assert problems({"backends": {"a": node}}) == [
        ("backends.a.some[0]", "expected one of: a, b"),
        ("backends.a.some[2]", "expected str, got int"),
        ("backends.a.others[0]", "expected int, got str"),
        ("backends.a.others[1]", "expected int, got str"),
        ("backends.a.pair[1]", "expected str, got int"),
    ]
