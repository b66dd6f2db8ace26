"""Plugins as wheels, installed where nothing else is, and processes of their own to use them in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import chdir
from textwrap import dedent
from types import SimpleNamespace

import pytest
from hatchling.build import build_wheel

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.2.3"

[project.entry-points.eventtracking]
{entry_point}
"""

CONFIGURE_AND_EMIT = """
import json, sys
import eventtracking_core as et

tracker = et.Tracker()
problems = []
for config in sys.argv[1:]:
    try:
        tracker.configure(json.loads(config))
    except et.ConfigurationError as error:
        problems += map(str, error.problems)
tracker.emit("edx.problem.check")
sinks = tracker.stats()["tree"]["backends"]
json.dump(
    {
        "problems": problems,
        "delivered": sum(sink["delivered"] for sink in sinks),
        "modules": list(sys.modules),
    },
    sys.stdout,
)
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Builds the wheel of a project, as a frontend asks its build backend to (PEP 517)."""
    wheels = tmp_path_factory.mktemp("wheels")

    def wheel(project):
        with chdir(project):
            return wheels / build_wheel(str(wheels))

    return wheel


@pytest.fixture(scope="session")
def pip_install(tmp_path_factory):
    """Installs wheels, and nothing else, into a new directory."""

    def pip_install(*wheels):
        site = tmp_path_factory.mktemp("site")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run(
            [*pip, "--no-deps", "--no-index", "--no-compile", "--target", site, *wheels],
            check=True,
        )
        return site

    return pip_install


@pytest.fixture(scope="session")
def plugin_wheel(wheel, tmp_path_factory):
    """Builds the wheel of a plugin of one module, version 1.2.3."""

    def plugin_wheel(name, entry_point, source):
        project = tmp_path_factory.mktemp(name)
        text = PROJECT.format(name=name, entry_point=entry_point)
        (project / "pyproject.toml").write_text(text)
        (project / f"{name.replace('-', '_')}.py").write_text(dedent(source))
        return wheel(project)

    return plugin_wheel


@pytest.fixture(scope="session")
def environment():
    """The variables of a process that finds a directory's packages, and no settings of ours."""

    def environment(site, **variables):
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("EVENTTRACKING_", "PYTHON"))
        }
        return kept | {"PYTHONPATH": str(site)} | variables

    return environment


@pytest.fixture(scope="session")
def configure_and_emit(environment):
    """Configures a tracker, in a process that finds a directory's plugins, and emits an event.

    Several configurations are tried one after the other.
    """

    def configure_and_emit(site, *configs, **variables):
        ran = subprocess.run(
            [sys.executable, "-P", "-c", CONFIGURE_AND_EMIT, *map(json.dumps, configs)],
            capture_output=True,
            check=False,
            env=environment(site, **variables),
            text=True,
            timeout=60,
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        return SimpleNamespace(**json.loads(ran.stdout))

    return configure_and_emit
