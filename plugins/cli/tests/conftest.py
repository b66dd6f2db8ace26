"""The program, run here or in a process of its own; lines and configurations to run it on."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sysconfig
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest
from waiting import DEADLINE

from eventtracking_cli import main

PROGRAM = Path(sysconfig.get_path("scripts"), "eventtracking")


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def events(self):
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """Everything happens in an empty directory, and the environment says nothing of us."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    for name in [name for name in os.environ if name.startswith("EVENTTRACKING_")]:
        if name != "EVENTTRACKING_REQUIRE_SERVICES":
            monkeypatch.delenv(name)


@pytest.fixture
def run(capfd):
    def run(*args):
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main([str(arg) for arg in args])
        return Ran(exit_.value.code, *capfd.readouterr())

    return run


@pytest.fixture
def program():
    """Run the installed program in a process of its own."""

    def program(*args, **options):
        ran = subprocess.run(
            [PROGRAM, *args], capture_output=True, timeout=DEADLINE, check=False, **options
        )
        return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())

    program.path = PROGRAM
    return program


@pytest.fixture
def on_a_terminal():
    """Run a command on a terminal; return what it writes."""

    def run(command, **environment):
        ours, its = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", **environment}
        with subprocess.Popen(command, stdout=its, stderr=its, stdin=its, env=environment):
            os.close(its)
            written = b""
            try:
                while some := os.read(ours, 65536):
                    written += some
            except OSError:  # the other side was closed
                pass
        os.close(ours)
        return written.decode()

    return run


@pytest.fixture
def config(tmp_path):
    """Write a configuration; by default, one with a store."""

    def config(text='[backends.store]\ntype = "sqlite"\npath = "events.db"\n', name="et.toml"):
        path = tmp_path / name
        path.write_text(dedent(text))
        return path

    return config


@pytest.fixture
def log(tmp_path):
    """Write a log of lines: bytes, text, or what becomes JSON."""

    def log(*lines, name="tracking.log"):
        path = tmp_path / name
        path.write_bytes(b"".join(as_bytes(line) + b"\n" for line in lines))
        return path

    def as_bytes(line):
        if isinstance(line, bytes):
            return line
        return (line if isinstance(line, str) else json.dumps(line)).encode()

    return log


@pytest.fixture
def edx():
    """Return the fields of an edX tracking line."""

    def edx(**fields):
        return {
            "name": "edx.video.played",
            "context": {"course_id": "course-v1:A+B+C", "user_id": 7},
            "username": "ada",
            "session": "5e55",
            "ip": "192.0.2.9",
            "agent": "Firefox",
            "host": "lms.example",
            "referer": "",
            "accept_language": "",
            "event": {"position": 3.5},
            "time": "2026-09-12T12:55:00.123450+00:00",
            "event_type": "edx.video.played",
            "event_source": "server",
            "page": None,
            **fields,
        }

    return edx


@pytest.fixture
def ingested(run, log, config):
    """Ingest lines into a store, and return the events that are in it."""

    def ingested(*lines):
        ran = run("ingest", log(*lines), "--config", config())
        assert ran.code == 0, ran.err
        return run("events", "list", "--from", "events.db", "--json").events

    return ingested


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a module as a plugin, for this process and those it starts."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))

    def plugin(name, source, distribution=None, *, command=None):
        distribution = distribution or f"eventtracking-{name}"
        module = distribution.replace("-", "_") + "_plugin"
        (site / f"{module}.py").write_text(dedent(source))
        info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n"
        )
        group = f"[eventtracking]\n{name} = {module}\n"
        if command is not None:
            group = f"[eventtracking.commands]\n{command} = {module}:greet\n"
        (info / "entry_points.txt").write_text(group)

    return plugin
