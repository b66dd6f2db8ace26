"""What `eventtracking plugin new` writes is built, installed, and passes its own tests."""

from __future__ import annotations

import subprocess
import sys

import pytest

from eventtracking_cli import main


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
