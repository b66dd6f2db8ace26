"""Trackers that keep what they get, and servers that answer on loopback."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest
from free_ports import free_port
from server_workers import have_booted, note_boots
from waiting import DEADLINE

from eventtracking_core import Tracker
from eventtracking_core.backends.memory import MemoryBackend

HERE = Path(__file__).parent

ADOPT = "import applications as a; raise SystemExit(not a.et.get_tracker().flush(60))"


@pytest.fixture
def memory():
    return MemoryBackend()


@pytest.fixture
def tracker(memory):
    tracker = Tracker({"memory": memory})
    yield tracker
    tracker.shutdown(5)


@pytest.fixture
def contexts(memory):
    """Return the contexts of the events so far, by name."""
    return lambda: [(event["name"], event["context"]) for event in memory.events]


class Server:
    """A web server with an application of this directory, which stores events in SQLite."""

    def __init__(self, directory, command, mode="queue"):
        self.port = free_port()
        self._directory, self._command = directory, command
        note_boots(directory)
        self._environment = os.environ | {
            "EVENTS_DB": str(directory / "events.db"),
            "EVENTS_MODE": mode,
            "PYTHONPATH": str(HERE),
            "PYTHONWARNINGS": "ignore",
        }
        program, *words = [word.replace("PORT", str(self.port)) for word in command]
        with (directory / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).with_name(program)), *words],
                cwd=directory,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = monotonic() + DEADLINE
        while not self._answers():
            assert self.process.poll() is None, self.log
            assert monotonic() < deadline, self.log
            sleep(0.05)

    def _answers(self):
        with suppress(OSError):
            url = f"http://127.0.0.1:{self.port}/ready"
            with urllib.request.urlopen(url, timeout=DEADLINE) as response:
                return response.status == 200 and have_booted(self._directory, self._command)
        return False

    def signal(self, number, *, all_processes=False):
        """Send a signal to the server: to its first process, or to all as a terminal does."""
        if all_processes:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def end(self):
        """End the server in order."""
        self.signal(signal.SIGTERM)
        self.wait()

    def wait(self):
        """Wait until all processes of the server have ended."""
        deadline = monotonic() + DEADLINE
        self.process.wait(DEADLINE)
        while self._others():
            assert monotonic() < deadline, self.log
            sleep(0.02)

    def _others(self):
        """Return whether a process of the server's session still runs."""
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
                if int(session) == self.process.pid and state != "Z":
                    return True
        return False

    def adopt(self):
        """Let a next process with the same configuration deliver what is in a spool."""
        subprocess.run(
            [sys.executable, "-c", ADOPT],
            cwd=self._directory,
            env=self._environment,
            check=True,
            timeout=DEADLINE,
        )

    @property
    def log(self):
        return (self._directory / "server.log").read_text(errors="replace")

    def emitted(self):
        """Return the ids of the events that were accepted."""
        return (self._directory / "emitted").read_text().split()

    def stored(self):
        with closing(sqlite3.connect(self._directory / "events.db")) as database:
            return [json.loads(row[0]) for row in database.execute("SELECT event FROM events")]

    def close(self):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def serve(tmp_path):
    """Start a server by its command; PORT stands for its port."""
    servers = []

    def start(*command, mode="queue"):
        servers.append(Server(tmp_path, command, mode))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
