"""An operator switches a Django site to the drop-in, back, and again: same records."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


class Site:
    """An environment with a site, whose requirements an operator changes."""

    def __init__(self, directory):
        self.python = directory / "bin" / "python"
        self._environment = {
            key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"
        }
        self._uv("venv", "--python", sys.executable, str(directory))

    def _uv(self, *words):
        command = ["uv", *words, "--quiet"]
        subprocess.run(command, check=True, cwd=ROOT, env=self._environment, timeout=100)

    def install(self, *requirements):
        pinned = ("--constraints", "constraints.txt")
        self._uv("pip", "install", "--python", str(self.python), *pinned, *requirements)

    def uninstall(self, name):
        self._uv("pip", "uninstall", "--python", str(self.python), name)

    def records(self):
        """Return what the site logs and what its own backend gets of two requests."""
        program = HERE / "switch" / "campus_site.py"
        ran = subprocess.run(
            [self.python, program], check=True, capture_output=True, text=True, timeout=60
        )
        return json.loads(ran.stdout)


@pytest.mark.timeout(300)
def test_a_site_that_changes_one_requirement_has_the_same_records(tmp_path):
    site = Site(tmp_path / "site")
    site.install("event-tracking")
    before = site.records()
    assert [line["data"]["course_id"] for line in before["lines"]] == ["c1", "c2"]
    assert len(before["records"]) == 2

    for _ in range(2):
        site.uninstall("event-tracking")
        site.install("--editable", "plugins/compat")
        assert site.records() == before

        site.uninstall("eventtracking-compat")
        site.install("event-tracking")
        assert site.records() == before
