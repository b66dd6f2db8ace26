"""Logs, records and catalogues; the commands, run here or in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from textwrap import dedent
from typing import NamedTuple

import click
import pytest

from eventtracking_catalog.collecting import Collection
from eventtracking_catalog.commands import COMMANDS
from eventtracking_core.registry import EventType, FieldDoc

COMMANDS_ALONE = """
import click
from eventtracking_catalog.commands import COMMANDS
click.Group(commands=COMMANDS)()
"""


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys):
    """Run a command in this process."""

    def run(*args):
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            click.Group(commands=COMMANDS)([str(arg) for arg in args])
        return Ran(exit_.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def program(tmp_path):
    """Run a command in a process of its own, where modules may be imported, beside them."""

    def program(*args):
        command = [sys.executable, "-c", COMMANDS_ALONE, *map(str, args)]
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    return program


@pytest.fixture
def module(tmp_path):
    """Write a module into the program's directory."""

    def module(text, name="events.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    return module


@pytest.fixture(scope="session")
def an_event():
    """Makes events; each is a minute later than the one before."""
    made = iter(range(1_000_000))

    def an_event(name="shop.order.placed", data=None, context=None, **fields):
        number = next(made)
        time = datetime(2026, 9, 12, number // 60 % 24, number % 60, tzinfo=UTC)
        return {
            "id": f"01997c9e-0000-7000-8000-{number:012x}",
            "name": name,
            "timestamp": time.isoformat(),
            "context": {} if context is None else context,
            "data": {} if data is None else data,
            **fields,
        }

    return an_event


@pytest.fixture
def log(tmp_path):
    """Write a log of events, records and other lines."""

    def log(*lines, name="events.log"):
        path = tmp_path / name
        path.write_text("".join(f"{as_text(line)}\n" for line in lines))
        return path

    def as_text(line):
        if isinstance(line, EventType):
            return line.to_line()
        return line if isinstance(line, str) else json.dumps(line)

    return log


@pytest.fixture(scope="session")
def a_record():
    """Makes records; the fields by name, with what FieldDoc takes."""

    def a_record(name="shop.order.placed", fields=None, *, at=1, where="", **said):
        docs = tuple(FieldDoc(field, **about) for field, about in (fields or {}).items())
        record = EventType(name=name, fields=docs, **said)
        stack = (where,) if where else ()
        return record.at(datetime(2026, 9, at, tzinfo=UTC), stack)

    return a_record


@pytest.fixture(scope="session")
def catalogue_of():
    """Makes a catalogue of records."""

    def catalogue_of(*records):
        into = Collection()
        for record in records:
            into.record(record)
        return into.catalogue()

    return catalogue_of
