"""Arguments that no event matches, and half characters from a log: a line, no traceback."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import pytest

HALF = r'{"id": "half", "name": "n", "time": "2026-09-12T12:55:00Z", "data": {"a\ud800": "\udfff"}}'


@pytest.fixture
def store(run, config, log, edx):
    assert run("ingest", log(edx()), "--config", config()).code == 0
    return "events.db"


@pytest.mark.once
@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("list", "--name"),
        ("export", "--user"),
        ("count", "--where"),
        ("show", None),
    ],
)
@pytest.mark.parametrize("argument", [b"\xff", b"data.a=\xff"])
def test_an_argument_that_is_not_utf_8_is_refused(program, store, command, option, argument):
    given = [argument] if option is None else [option, argument]
    ran = subprocess.run(
        [program.path, "events", command, *given, "--from", store],
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 2
    assert b"not UTF-8 text" in ran.stderr
    assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize("command", [("list",), ("count", "--by", "name"), ("tail",)])
def test_a_limit_that_no_store_takes_is_refused(run, store, command):
    ran = run("events", *command, "--from", store, "--limit", 2**64)
    assert ran.code == 2
    assert "is not in the range" in ran.err
    if command[0] != "tail":
        assert run("events", *command, "--from", store, "--limit", 2**31 - 1).code == 0


@pytest.mark.parametrize("name", ["half.csv", "half.parquet"])
def test_half_characters_of_a_log_are_exported_as_their_escapes(run, log, edx, name):
    path = log(edx(), HALF)
    ran = run("events", "export", "--from", path, "-o", name)
    assert (ran.code, ran.err) == (0, f"2 events written to {name}\n")
    if name == "half.csv":
        with Path(name).open(encoding="utf-8", newline="") as file:
            _, row = csv.DictReader(file)
    else:
        parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs pyarrow")
        _, row = parquet.read_table(name).to_pylist()
    assert row["data.a\\ud800"] == "\\udfff"
