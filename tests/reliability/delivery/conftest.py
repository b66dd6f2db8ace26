"""Sinks, trackers that deliver to them, and processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from delivery_fixtures import black_hole, configured, dead_letters, quick, sink, tracker_to
from waiting import DEADLINE

__all__ = ["black_hole", "configured", "dead_letters", "quick", "sink", "tracker_to"]


@pytest.fixture
def python(tmp_path):
    """Runs a script in a process of its own; returns what it prints last, read as JSON."""

    def run(script, *arguments, timeout=DEADLINE):
        command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run
