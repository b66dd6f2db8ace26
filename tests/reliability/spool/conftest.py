"""Processes that end in every way, and what they leave behind."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from spool_fixtures import journals, leaf, read_all, sink, spool_at, tracker_to

__all__ = ["journals", "leaf", "read_all", "sink", "spool_at", "tracker_to"]

PROGRAMS = Path(__file__).with_name("programs.py")
FORKS_UNDER_THREADS = "ignore:This process:DeprecationWarning"


@pytest.fixture
def start(tmp_path):
    """Starts a program; its directory is the test's."""
    with ExitStack() as processes:

        def run(role, **options):
            arguments = json.dumps({"directory": str(tmp_path), **options})
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-W",
                    "error",
                    "-W",
                    FORKS_UNDER_THREADS,
                    PROGRAMS,
                    role,
                    arguments,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            processes.callback(_end, process)
            return process

        yield run


def _end(process):
    process.kill()
    process.communicate()


@pytest.fixture
def run(start):
    """Runs a program to its end; returns what it printed last, read as JSON."""

    def run(role, **options):
        process = start(role, **options)
        output, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
        return json.loads(output.splitlines()[-1]) if output else None

    return run
