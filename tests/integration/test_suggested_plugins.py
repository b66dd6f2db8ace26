"""A problem with an unknown type lists the plugins that have its kind of component."""

from __future__ import annotations

import re
from importlib.metadata import entry_points

import pytest

import eventtracking_core as et


def problem(key, type_name):
    """Return the one problem of a configuration with a type in one place."""
    node = {"type": type_name}
    tree = {key: [node]} if key in {"processors", "context"} else {key: node}
    with pytest.raises(et.ConfigurationError) as caught:
        et.Tracker().configure({"backends": {"a": node}} if key == "backends" else tree)
    return caught.value.problems[0].message


@pytest.mark.parametrize("key", ["context", "processors", "backends", "metadata"])
def test_only_plugins_that_have_the_kind_are_listed(key):
    listed = re.search(r"\(installed: (.*)\)", problem(key, "nowhere"))[1].split(", ")
    for plugin in {each.name for each in entry_points(group="eventtracking")}:
        has_none = "(it has: none)" in problem(key, f"{plugin}.nothing")
        assert (plugin in listed) is not has_none, plugin


@pytest.mark.parametrize(("key", "typo"), [("processors", "mogno"), ("context", "sqlit")])
def test_no_plugin_is_suggested_that_lacks_the_kind(key, typo):
    assert "did you mean" not in problem(key, typo)
