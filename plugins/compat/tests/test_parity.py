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


def scenarios(*modules):
    text = "\n".join((HERE / module).read_text("utf-8") for module in modules)
    return [name for name in re.findall(r"^def (\w+)\(\):", text, re.MULTILINE) if name != "main"]


def results(python, program, *arguments):
    command = [str(python), str(HERE / program), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def theirs(tmp_path_factory):
    """The Python of an environment that has the published package."""
    python = tmp_path_factory.mktemp("published") / "bin" / "python"
    environ = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    directory = str(python.parents[1])
    pinned = ["--constraints", str(ROOT / "constraints.txt"), "event-tracking"]
    for command in (
        ["uv", "venv", "--quiet", "--python", sys.executable, directory],
        ["uv", "pip", "install", "--quiet", "--python", str(python), *pinned],
    ):
        subprocess.run(command, check=True, env=environ, timeout=100)
    return python


@pytest.fixture(scope="session")
def observed(theirs):
    """What each scenario observes with the published package, and with the drop-in."""
    return [results(python, "scenarios.py") for python in (theirs, sys.executable)]


@pytest.fixture(scope="module")
def observed_of_services(theirs, shared_mongod):
    """What each scenario with the event bus and MongoDB observes, with either."""
    return [
        results(python, "services.py", shared_mongod.uri) for python in (theirs, sys.executable)
    ]


def check(scenario, published, ours):
    if scenario in DIFFERENCES:
        assert ours[scenario] != published[scenario], "it is listed as a difference, and is none"
    else:
        assert ours[scenario] == published[scenario]
    for found in (published[scenario], ours[scenario]):
        assert not (isinstance(found, list) and found[:1] == ["the scenario failed"])


@pytest.mark.parametrize(
    "scenario", scenarios(*sorted(module.name for module in HERE.glob("of_*.py")))
)
def test_a_scenario_is_the_same(scenario, observed):
    check(scenario, *observed)


@pytest.mark.parametrize("scenario", scenarios("services.py"))
def test_the_event_bus_and_mongodb_get_the_same(scenario, observed_of_services):
    check(scenario, *observed_of_services)


def test_the_migration_page_lists_every_difference():
    page = " ".join(PAGE.read_text("utf-8").split())
    assert [text for text in DIFFERENCES.values() if text not in page] == []
