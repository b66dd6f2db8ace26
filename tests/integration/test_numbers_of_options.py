"""No number that makes no sense gets past the configuration, into whichever component."""

from __future__ import annotations

import math

import pytest

import eventtracking_core as et
from eventtracking_core.config.options import alternatives, unit_of
from eventtracking_core.config.parameters import parameters
from eventtracking_core.plugins import plugins

REQUIRED = {
    "sample": {"rate": 0.5},
    "truncate": {"max_length": 5},
    "file": {"path": "events.ndjson"},
    "logger": {"name": "tracking"},
    "sqlite": {"path": "events.db"},
}
ABSURD = [-1, -0.5, math.nan, math.inf, -math.inf, 1e308, 10**19, 10**400]


def numeric_options():
    components, _ = plugins.available()
    for kind in ("processor", "backend"):
        for type_name, factory in sorted(components[kind].items()):
            if factory.__module__.startswith("eventtracking_"):
                for name, option in parameters(factory)[0].items():
                    members = alternatives(option.hint)
                    if int in members or float in members or any(map(unit_of, members)):
                        yield kind, type_name, name


@pytest.mark.parametrize(("kind", "type_name", "option"), [*numeric_options()])
@pytest.mark.parametrize("value", ABSURD)
def test_an_absurd_number_is_a_problem_at_its_node(kind, type_name, option, value):
    node = {"type": type_name} | REQUIRED.get(type_name, {}) | {option: value}
    if type_name == "async_router":
        node["backends"] = {"m": "memory"}
    config = {"processors": [node]} if kind == "processor" else {"backends": {"a": node}}
    tracker = et.Tracker(name="numbers")

    with pytest.raises(et.ConfigurationError) as caught:
        tracker.configure(config)

    assert caught.value.problems[0].path.startswith(("processors[0]", "backends.a"))
