"""Plugins, registered and found."""

from __future__ import annotations

import pytest

import eventtracking_core as et
from eventtracking_core import importing
from eventtracking_core.plugins import PluginError


def test_a_hook_that_wants_arguments_is_refused_and_forgotten(refused):
    class Plugin:
        @et.hookimpl
        def eventtracking_backends(self, config):
            return {}

    with pytest.raises(PluginError, match="wants_arguments"):
        et.register_plugin(Plugin(), "wants_arguments")

    assert "unknown backend" in refused({"backends": {"a": "wants_arguments"}})


@pytest.mark.slow
def test_a_plugin_may_take_its_time_as_long_as_it_goes_on_importing(tmp_path, monkeypatch):
    """As on a busy machine, where all of its modules take longer than one of them may."""
    package = tmp_path / "slowly_imported"
    package.mkdir()
    for number in range(30):
        (package / f"part{number}.py").write_text("import time\ntime.sleep(0.1)\n")
    parts = "".join(f"import slowly_imported.part{number}\n" for number in range(30))
    (package / "__init__.py").write_text(f"{parts}def Backend():\n    return print\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(importing, "IMPORT_TIMEOUT", 2.5)
    tracker = et.Tracker()
    with pytest.raises(et.ConfigurationError, match="send"):  # what it made is no backend
        tracker.configure({"backends": {"a": {"type": "slowly_imported:Backend"}}})
