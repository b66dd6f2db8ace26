"""What `eventtracking plugin new` writes is built, installed, and passes its own tests."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
import yaml

import eventtracking_core
from eventtracking_cli import main

pytestmark = pytest.mark.once


@pytest.fixture(params=["backend", "processor", "context-provider"])
def project(request, tmp_path):
    """A new plugin, as it was written."""
    directory = tmp_path / "dead-drop"
    with pytest.raises(SystemExit) as ended:
        main(["plugin", "new", "dead_drop", "--kind", request.param, "--directory", str(directory)])
    assert ended.value.code == 0
    return directory


def test_a_new_plugin_is_built_installed_and_passes_its_tests(
    project, wheel, pip_install, environment
):
    site = pip_install(wheel(project))
    module = project / "eventtracking_dead_drop.py"
    module.rename(project / "not_imported.txt")  # what is installed is tested, and not the sources

    ran = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-p", "eventtracking_core.testing.pytest_plugin"],
        cwd=project,
        env=environment(site, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout
    assert "skipped" not in ran.stdout


# All kinds have the same workflow.
@pytest.mark.once
@pytest.mark.parametrize("project", ["backend"], indirect=True)
def test_every_step_of_the_workflow_of_a_new_plugin_succeeds(project, environment, tmp_path):
    workflow = yaml.safe_load((project / ".github/workflows/ci.yml").read_text())
    [job] = workflow["jobs"].values()
    steps = [step["run"] for step in job["steps"] if "run" in step]
    # An environment of its own, whose pip and build find here what they would else download.
    steps = [step.replace("-m build", "-m build --no-isolation") for step in steps]
    venv.create(tmp_path / "venv", symlinks=True, with_pip=False)
    here = [sysconfig.get_path("purelib"), Path(eventtracking_core.__file__).parents[1]]
    variables = environment(
        ":".join(map(str, here)),
        PATH=f"{tmp_path / 'venv' / 'bin'}:/usr/bin:/bin",
        PIP_NO_INDEX="1",
        PIP_NO_BUILD_ISOLATION="0",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PYTEST_PLUGINS="eventtracking_core.testing.pytest_plugin",
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )

    for step in steps:
        ran = subprocess.run(
            ["bash", "-e", "-c", step],
            cwd=project,
            env=variables,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert ran.returncode == 0, f"{step}\n{ran.stdout}{ran.stderr}"

    assert any("pytest" in step for step in steps)
    assert {path.suffix for path in (project / "dist").iterdir()} == {".whl", ".gz"}
