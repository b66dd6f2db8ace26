"""The asyncio backend of the how-to, as it is, over its server: what it is promised holds."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from free_ports import free_port
from waiting import DEADLINE, wait_until

import eventtracking_core as et

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-plugin.md"


@pytest.fixture
def port(tmp_path, monkeypatch):
    """The port of the page's server; the current directory has the page's files."""
    port = free_port()
    page = PAGE.read_text().replace("8766", str(port))
    for name, text in re.findall(r"```\{file\} (lines\w*\.py)\n(.*?)```", page, re.DOTALL):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield port
    sys.modules.pop("lines", None)


def stored(directory):
    """Return the ids in the server's file, each as often as it is there."""
    lines = (directory / "lines.ndjson").read_text().splitlines()
    return [json.loads(line)["id"] for line in lines]


def test_every_event_is_stored_although_the_server_is_killed(tmp_path, port):
    ended = subprocess.run(
        [sys.executable, "lines_app.py"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert len(set(stored(tmp_path))) == 1000


def test_an_attempt_at_a_silent_server_is_cancelled_and_the_event_delivered_later(
    tmp_path, port, caplog
):
    def answers():
        with suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), 1).close() is None

    delivery = {"export_timeout": 1, "max_interval": 0.1}
    tracker = et.Tracker()
    tracker.configure({"backends": {"lines": {"type": "lines:LinesBackend", "delivery": delivery}}})
    with subprocess.Popen([sys.executable, "lines_server.py"]) as server:
        try:
            wait_until(answers)
            emitted = [tracker.emit("app.counted", {"number": 0})]
            assert tracker.flush(DEADLINE)
            server.send_signal(signal.SIGSTOP)
            emitted.append(tracker.emit("app.counted", {"number": 1}))
            wait_until(lambda: "attempt 1 failed" in caplog.text)
            [leaf] = tracker.stats()["tree"]["backends"]
            assert (leaf["delivered"], leaf["pending"]) == (1, 1)
            server.send_signal(signal.SIGCONT)
            assert tracker.flush(DEADLINE)
            assert tracker.shutdown(DEADLINE)
            wait_until(lambda: set(stored(tmp_path)) == set(emitted))
        finally:
            server.kill()
