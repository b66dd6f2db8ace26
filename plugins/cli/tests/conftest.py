"""The program, run here or in a process of its own; lines and configurations to run it on."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import ClassVar, NamedTuple

import pytest
from waiting import DEADLINE

from eventtracking_cli import main
from eventtracking_core import RejectedError

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


PREFIX = "2026-09-12 12:55:00,123 INFO 20 [tracking] [user 7] [ip 192.0.2.9] logger.py:41 - "


@pytest.fixture
def mixed(log, edx):
    """Six lines of one kind or another: one is cut off, two are not of the course itself."""
    return log(
        PREFIX + json.dumps(edx()),
        PREFIX + json.dumps(edx(name="problem_check", event_type="problem_check")),
        PREFIX + json.dumps(edx())[:200],
        edx(time="2026-09-12T12:55:01+00:00"),
        {
            "name": "edx.note",
            "timestamp": "2026-09-12T12:55:02Z",
            "context": {"ip": "192.0.2.9"},
            "data": {},
        },
        {
            "id": "018848f4-2433-7ee2-be30-60e82e0c8272",
            "name": "page.seen",
            "timestamp": "2026-09-12T12:55:03Z",
            "context": {},
            "data": {},
        },
    )


@pytest.fixture
def store(run, log, config):
    """Six events in a store: two names, two users, two hours."""
    now = datetime.now(UTC)
    lines = [
        {
            "name": f"edx.video.{name}",
            "timestamp": (now - timedelta(hours=ago)).isoformat(),
            "context": {"user_id": user},
            "data": {"text": "[bold]\u202e\x1b[31m"},
        }
        for ago, name, user in [
            (0, "played", 1),
            (0, "paused", 1),
            (1, "played", 2),
            (30, "played", 1),
            (31, "played", 2),
            (32, "[bold]\x1b[31m", 2),
        ]
    ]
    assert run("ingest", log(*lines), "--config", config()).code == 0
    return "events.db"


class Sink:
    """Does to events what a test says."""

    answer = None
    delivered: ClassVar = []

    def send_batch(self, events, *, timeout):
        if Sink.answer is not None:
            raise Sink.answer
        Sink.delivered += [event["id"] for event in events]


@pytest.fixture
def sink():
    """The class of the sink before which there is a spool."""
    Sink.answer, Sink.delivered = None, []
    return Sink


@pytest.fixture
def spooling(config, monkeypatch, sink):
    """A configuration with a spool before a sink."""
    module = ModuleType("sinks")
    module.Sink = sink
    monkeypatch.setitem(sys.modules, "sinks", module)
    return config("""
        [backends.out]
        processors = []
        [backends.out.backends.sink]
        type = "sinks:Sink"
        delivery = { mode = "spool", initial_interval = 0.05 }
    """)


@pytest.fixture
def refused(sink, spooling, run):
    """The ids of two events that the sink refused for good."""
    sink.answer = RejectedError("not of this kind")
    ids = [run("emit", "--config", spooling, name).out.strip() for name in ("a.b", "c.d")]
    sink.answer = None
    return ids
