"""pytest, run in an empty directory as others run it."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent

import pytest


@pytest.fixture
def run(tmp_path):
    """Runs pytest on modules of the given source, or on what the arguments name.

    Only our plugin is loaded, unless all are asked for.
    """

    def run_pytest(*arguments, all_plugins=False, **modules):
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

    return run_pytest
