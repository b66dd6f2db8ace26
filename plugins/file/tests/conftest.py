"""Events to write, and readers of what was written."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from eventtracking_core.events import new_id

_OPENERS = {".gz": gzip.open, ".zst": zstandard.open}


@pytest.fixture(name="an_event")
def event_factory():
    """Return a function that makes an event of the data it is given."""

    def make(**data):
        return {
            "id": new_id(),
            "name": "edx.problem.check",
            "timestamp": datetime.now(UTC),
            "context": {"user_id": 7},
            "data": data,
        }

    return make


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.ndjson"


@pytest.fixture
def written(path):
    """Return a function that returns what is in the file and its rotated ones, line by line."""

    def read() -> list[dict]:
        return [json.loads(line) for file in files() for line in _content(file).splitlines()]

    def files() -> list[Path]:
        return sorted(path.parent.glob("events*"))

    read.files = files
    return read


@pytest.fixture
def start(path):
    """Return a function that runs a script with `path` and `event(**data)` in a new process."""
    processes = []

    def run(script: str, *arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-c", _PREAMBLE + script, str(path), *map(str, arguments)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def run(start):
    """Return a function that runs such a script to its end, and returns what it printed."""

    def run_to_end(script: str, *arguments: object) -> str:
        output, errors = start(script, *arguments).communicate(timeout=60)
        assert not errors, errors
        return output

    return run_to_end


def _content(file: Path) -> str:
    opener = _OPENERS.get(file.suffix, open)
    with opener(file, "rb") as content:
        return content.read().decode()


_PREAMBLE = """
import os, sys
from datetime import UTC, datetime
from eventtracking_core import BatchError, RetryableError
from eventtracking_core.events import new_id
from eventtracking_file import FileBackend

path = sys.argv[1]

def event(**data):
    now = datetime.now(UTC)
    return {"id": new_id(), "name": "n", "timestamp": now, "context": {}, "data": data}

"""
