"""One program, run with event-tracking and with the drop-in, observes the same, but for a list.

The published package is installed into an environment of its own; the drop-in is in this one.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "parity"
ROOT = HERE.parents[3]
PAGE = ROOT / "docs" / "how-to" / "migrate-from-event-tracking.md"
DIFFERENCES = runpy.run_path(str(HERE / "differences.py"))["DIFFERENCES"]
SCENARIOS = re.findall(r"^def (\w+)\(\):", (HERE / "scenarios.py").read_text("utf-8"), re.MULTILINE)


def results(python):
    command = [str(python), str(HERE / "scenarios.py")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """What each scenario observes with the published package."""
    python = tmp_path_factory.mktemp("published") / "bin" / "python"
    environ = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    directory = str(python.parents[1])
    pinned = ["--constraints", str(ROOT / "constraints.txt"), "event-tracking"]
    for command in (
        ["uv", "venv", "--quiet", "--python", sys.executable, directory],
        ["uv", "pip", "install", "--quiet", "--python", str(python), *pinned],
    ):
        subprocess.run(command, check=True, env=environ, timeout=100)
    return results(python)


@pytest.fixture(scope="session")
def ours():
    """What each scenario observes with the drop-in."""
    return results(sys.executable)


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name != "main"])
def test_a_scenario_is_the_same(scenario, published, ours):
    if scenario in DIFFERENCES:
        assert ours[scenario] != published[scenario], "it is listed as a difference, and is none"
    else:
        assert ours[scenario] == published[scenario]


def test_the_migration_page_lists_every_difference():
    page = " ".join(PAGE.read_text("utf-8").split())
    assert [text for text in DIFFERENCES.values() if text not in page] == []
