"""Events, trackers that remember them, and pytest as others run it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from textwrap import dedent

import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.events import new_id


@pytest.fixture(scope="session")
def an_event():
    """Makes events."""

    def make(data=None, **fields):
        event = {"id": new_id(), "name": "edx.problem.check"}
        event |= {"timestamp": datetime(2026, 9, 12, 12, 55, 0, 123450, UTC), "context": {}}
        return event | {"data": {} if data is None else data} | fields

    return make


@pytest.fixture
def memory():
    return MemoryBackend(1_000_000)


@pytest.fixture
def tracker(memory):
    return et.Tracker({"memory": memory})


@pytest.fixture
def run_pytest(tmp_path):
    """Runs pytest on modules of the given source, or on what the arguments name.

    Only our plugin is loaded, unless all are asked for.
    """

    def run(*arguments, all_plugins=False, **modules):
        for name, source in modules.items():
            (tmp_path / f"{name}.py").write_text(dedent(source), encoding="utf-8")
        # The conftest.py of a checkout is not part of what authors install.
        options = ["-q", "--noconftest", "-p", "no:cacheprovider"]
        environment = dict(os.environ)
        if not all_plugins:
            options += ["-p", "eventtracking_core.testing.pytest_plugin"]
            environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        return subprocess.run(
            [sys.executable, "-m", "pytest", *options, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
