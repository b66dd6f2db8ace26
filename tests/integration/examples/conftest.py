"""Copies of the examples of the documentation, and the programs that run them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from threading import Event as Signal
from time import monotonic

import httpx
import pytest
from free_ports import free_port

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
DEADLINE = 60.0


def wait_until(condition, explain):
    deadline, pause = monotonic() + DEADLINE, Signal()
    while not (found := condition()):
        assert monotonic() < deadline, explain()
        pause.wait(0.05)
    return found


class Program:
    """A server or a worker of an example, in a session of its own."""

    def __init__(self, example, words):
        self._log = example.directory / f"{len(example.programs)}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words],
                cwd=example.directory,
                env=example.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self):
        return self._log.read_text(errors="replace")

    def says(self, text):
        """Wait until the log has a text."""

        def is_there():
            assert self.process.poll() is None, self.log()
            return text in self.log()

        wait_until(is_there, self.log)

    def end(self):
        """End it as a service manager does; return its log."""
        self.process.terminate()
        self.process.wait(DEADLINE)
        return self.log()

    def kill(self):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Example:
    """A copy of an example; what it says goes to logs in its directory."""

    def __init__(self, name, directory, stack, **variables):
        self.directory = directory / Path(name).name
        ignored = shutil.ignore_patterns("__pycache__", "*.db", "*.ndjson")
        shutil.copytree(EXAMPLES / name, self.directory, ignore=ignored)
        self.environment = os.environ | {"PYTHONWARNINGS": "ignore", **variables}
        self.programs = []
        self._stack = stack

    def run(self, *words):
        """Run a program to its end; return its output."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *words):
        """Start a program."""
        program = Program(self, words)
        self._stack.callback(program.kill)
        self.programs.append(program)
        return program

    def serve(self, *words):
        """Start a server; return it with a client of it. PORT stands for its port."""
        port = str(free_port())
        server = self.start(*(word.replace("PORT", port) for word in words))
        client = self._stack.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE)
        )

        def answers():
            assert server.process.poll() is None, server.log()
            with suppress(httpx.TransportError):
                return client.get("/no/such/page").status_code == 404

        wait_until(answers, server.log)
        return server, client

    def stored(self, name="events.db"):
        """Return the events in an SQLite store, the oldest first."""
        path = self.directory / name
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            if not database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'events'").fetchall():
                return []  # the file is there before its table
            rows = database.execute("SELECT event FROM events ORDER BY id").fetchall()
        return [json.loads(text) for (text,) in rows]


@pytest.fixture
def example(tmp_path):
    """Copies an example, by its name, with variables of its environment."""
    with ExitStack() as stack:
        yield lambda name, **variables: Example(name, tmp_path, stack, **variables)


@pytest.fixture(scope="session")
def eventually():
    """Waits until a condition holds; the second function says why it does not."""
    return wait_until
