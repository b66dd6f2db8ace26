"""Programs that fork, each in a directory and a process group of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress

import pytest
from waiting import DEADLINE


@pytest.fixture
def program(tmp_path):
    """Runs a program to its end, and ends what it left behind."""

    def run(code, *arguments):
        path = tmp_path / "program.py"
        path.write_text(textwrap.dedent(code))
        process = subprocess.Popen(
            [sys.executable, str(path), *arguments],
            cwd=tmp_path, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        )  # fmt: skip
        try:
            out, err = process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGABRT)
            pytest.fail(f"the program hangs: {process.communicate()[1]}")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert process.returncode == 0, err
        return out

    return run


@pytest.fixture
def events(tmp_path):
    """Returns the events that a program delivered to a file."""

    def read(name="events.ndjson"):
        path = tmp_path / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    return read


@pytest.fixture
def names(events):
    """Returns how often each name was delivered; no id may occur twice."""

    def count():
        delivered = events()
        assert len({event["id"] for event in delivered}) == len(delivered)
        found = {}
        for event in delivered:
            found[event["name"]] = found.get(event["name"], 0) + 1
        return found

    return count
