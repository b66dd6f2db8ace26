"""Plugins, registered and found."""

from __future__ import annotations

import pytest

import eventtracking_core as et
from eventtracking_core.plugins import PluginError


def test_a_hook_that_wants_arguments_is_refused_and_forgotten(refused):
    class Plugin:
        @et.hookimpl
        def eventtracking_backends(self, config):
            return {}

    with pytest.raises(PluginError, match="wants_arguments"):
        et.register_plugin(Plugin(), "wants_arguments")

    assert "unknown backend" in refused({"backends": {"a": "wants_arguments"}})
