"""`replay` and `ingest` refuse to read or overwrite what the configured backends write."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

LOG = """
    [backends.log]
    type = "file"
    path = "events.ndjson"
    max_size = "1 MiB"
    compress = "gzip"
    [backends.store]
    type = "sqlite"
    path = "events.db"
"""


@pytest.fixture
def written(log, edx):
    """The file of the backend, with two events."""
    return log(edx(name="a"), edx(name="b"), name="events.ndjson")


def _hard(path):
    os.link(path, "hard.ndjson")
    return "hard.ndjson"


def _soft(path):
    Path("soft.ndjson").symlink_to(path)
    return "soft.ndjson"


def _rotated(path):
    return path.rename("events-20260912T120000Z.ndjson")


def _compressed(path):
    rotated = Path("events-20260912T120000Z_002.ndjson.gz")
    rotated.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return rotated


@pytest.mark.parametrize("name", [str, _hard, _soft, _rotated, _compressed])
@pytest.mark.parametrize("command", [("ingest",), ("replay", "--from")], ids=lambda c: c[0])
def test_a_file_that_a_backend_writes_is_no_input(run, config, written, command, name):
    path = name(written)
    before = {file: file.read_bytes() for file in Path().glob("events*")}
    ran = run(*command, path, "--config", config(LOG))
    assert ran.code == 2
    assert f"{path} is a file of the backend log, which would store its events twice" in ran.err
    assert {file: file.read_bytes() for file in Path().glob("events*")} == before


@pytest.mark.once
@pytest.mark.parametrize("command", [("ingest",), ("replay", "--from")], ids=lambda c: c[0])
def test_nor_is_it_as_the_standard_input(program, config, written, command):
    with written.open("rb") as file:
        ran = program(*command, "-", "--config", config(LOG), stdin=file)
    assert ran.code == 2
    assert "the standard input is a file of the backend log" in ran.err
    assert not Path("events.db").exists()


def test_another_backend_gets_the_events_of_a_file(run, config, written):
    ran = run("replay", "--from", written, "--config", config(LOG), "--to", "store")
    assert ran.code == 0, ran.err
    assert run("events", "count", "--from", "events.db").out == "2\n"
    ran = run("replay", "--from", written, "--config", config(LOG), "--to", "log")
    assert ran.code == 2


@pytest.mark.parametrize("backends_file", ["events.ndjson", "events.db", "nested/../events.db"])
@pytest.mark.parametrize("exists", [True, False])
def test_rejected_lines_overwrite_no_file_of_a_backend(run, config, log, backends_file, exists):
    Path("nested").mkdir()
    if exists:
        Path(backends_file).write_text("precious")
    ran = run("ingest", log("no event"), "--config", config(LOG), "--rejects", backends_file)
    assert ran.code == 2
    assert "--rejects would overwrite a file of the backend" in ran.err
    assert Path(backends_file).exists() is exists
