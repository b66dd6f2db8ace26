"""Trackers that keep what they get, and servers that answer on loopback."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from eventtracking_core import Tracker
from eventtracking_core.backends.memory import MemoryBackend

HERE = Path(__file__).parent


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
    """A web server with applications.py, which stores its events in SQLite behind a queue."""

    def __init__(self, directory, command):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.database = directory / "events.db"
        self._log = directory / "server.log"
        words = [word.replace("PORT", str(self.port)) for word in command]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", *words],
                cwd=HERE,
                env=os.environ | {"EVENTS_DB": str(self.database)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = monotonic() + 30
        while not self._answers():
            assert self.process.poll() is None, self.log
            assert monotonic() < deadline, self.log
            sleep(0.05)

    def _answers(self):
        with suppress(OSError):
            self.get("/ready")
            return True
        return False

    def get(self, path, **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.read().decode()

    def end(self, number=signal.SIGTERM):
        """Send a signal to the server, and wait until it has ended."""
        self.process.send_signal(number)
        self.process.wait(30)

    @property
    def log(self):
        return self._log.read_text(errors="replace")

    def stored(self):
        """Return the data of the stored events."""
        with closing(sqlite3.connect(self.database)) as database:
            return [row[0] for row in database.execute("SELECT event FROM events")]

    def close(self):
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def serve(tmp_path):
    """Start a server by its command; PORT stands for its port."""
    servers = []

    def start(*command):
        servers.append(Server(tmp_path, command))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
