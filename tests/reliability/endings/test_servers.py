"""P23: servers that end by raising their signal again deliver what their requests emitted."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from time import monotonic

import pytest
from waiting import DEADLINE

NEVER = threading.Event()

APPLICATION = """
import os, sys
import eventtracking_core as et

et.configure({"shutdown_timeout": 60, "backends": {"f": {
    "type": "file", "path": "x.ndjson", "delivery": {"mode": "queue", "schedule_delay": 30}}}})

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                et.emit("last.words")
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "lifespan.startup.complete"})
    et.emit("answered")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})

if __name__ == "__main__":
    import uvicorn
    uvicorn.run(app, uds="socket")
"""

GUNICORN = [sys.executable, "-m", "gunicorn", "app:app", "--bind", "unix:socket"]
GUNICORN += ["-k", "uvicorn.workers.UvicornWorker", "--graceful-timeout", "20"]
SERVERS = {
    "uvicorn": [sys.executable, "-m", "uvicorn", "app:app", "--uds", "socket"],
    "uvicorn in a program": [sys.executable, "app.py"],
    "uvicorn with two workers": [
        *(sys.executable, "-m", "uvicorn", "app:app", "--uds", "socket", "--workers", "2")
    ],
    "gunicorn's uvicorn worker": GUNICORN,
    "gunicorn's uvicorn worker, preloaded": [*GUNICORN, "--preload"],
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
@pytest.mark.parametrize(
    "server",
    [pytest.param(name, marks=() if name == "uvicorn" else pytest.mark.once) for name in SERVERS],
)
def test_what_requests_emitted_is_delivered(server, number, tmp_path):
    (tmp_path / "app.py").write_text(APPLICATION)
    # A group of its own, as of a terminal, where Ctrl-C reaches every process.
    program = subprocess.Popen(
        SERVERS[server], cwd=tmp_path, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        answered = requested(program, tmp_path / "socket", 5)
        if number == signal.SIGINT:
            os.killpg(program.pid, number)
        else:
            program.send_signal(number)
        said, _ = program.communicate(timeout=DEADLINE)
    finally:
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGKILL)
    events = (tmp_path / "x.ndjson").read_text() if (tmp_path / "x.ndjson").exists() else ""
    assert events.count('"answered"') == answered == 5, said
    assert events.count('"last.words"') >= 1, said


def requested(program, path, number):
    """Send so many requests, as soon as there is who answers; return how many were answered."""
    answered, deadline = 0, monotonic() + DEADLINE
    while answered < number:
        assert monotonic() < deadline
        assert program.poll() is None, program.stdout.read()
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(DEADLINE)
        try:
            connection.sock.connect(os.fspath(path))
            connection.request("GET", "/")
            answered += connection.getresponse().status == 200
        except OSError:
            NEVER.wait(0.05)
        finally:
            connection.close()
    return answered
