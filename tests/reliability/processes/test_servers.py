"""P24, P30: prefork servers that fork without a word to Python, or patch after they forked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest
from free_ports import free_port
from server_workers import UWSGI_NOTES_BOOTS, have_booted
from waiting import DEADLINE, exit_code, wait_until

BIN = Path(sys.executable).parent
APPLICATION = """
import eventtracking_core as et
delivery = {{"mode": "{mode}", "directory": "spool", "schedule_delay": {delay}}}
backend = {{"type": "file", "path": "events.ndjson", "delivery": delivery}}
et.configure({{"shutdown_timeout": 60, "backends": {{"sink": backend}}}})
et.emit("boot")

def application(environ, start):
    et.emit("request")
    start("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.fixture
def serve(tmp_path):
    """Runs a server, and returns what asks it."""

    @contextmanager
    def run(command, *, mode, delay, ends=False):
        (tmp_path / "app.py").write_text(APPLICATION.format(mode=mode, delay=delay))
        address = f"127.0.0.1:{free_port()}"
        log = (tmp_path / "server.log").open("w")
        server = subprocess.Popen(
            [str(BIN / command[0]), *(part.format(address=address) for part in command[1:])],
            cwd=tmp_path, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
        )  # fmt: skip
        try:
            yield lambda: urllib.request.urlopen(f"http://{address}/", timeout=20).read()
            if ends:
                server.send_signal(signal.SIGTERM)
                exit_code(server, tmp_path / "server.log")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()
            log.close()

    return run


def ask_until_it_answers(ask):
    deadline = monotonic() + DEADLINE
    while True:
        try:
            return ask()
        except urllib.error.HTTPError:
            raise
        except OSError:
            assert monotonic() < deadline, "the server never answers"
            sleep(0.1)


def ask_until_delivered(ask, names):
    for _ in range(19):
        ask()
    wait_until(lambda: names().get("request") == 20)


UWSGI = [
    "uwsgi", "--http-socket", "{address}", "--wsgi-file", "app.py", "--virtualenv",
    str(BIN.parent), "--master", "--processes", "2", "--enable-threads",
    "--hook-master-start", "unix_signal:15 gracefully_kill_them_all",
    *UWSGI_NOTES_BOOTS,
    "--py-call-uwsgi-fork-hooks",  # the master has a thread, for the event of its start
]  # fmt: skip
GUNICORN = ["gunicorn", "-b", "{address}", "-w", "2", "--preload", "-k"]


@pytest.mark.parametrize("mode", ["queue", "spool"])
@pytest.mark.parametrize("threads", [[], ["--threads", "4"]], ids=["one thread", "four threads"])
def test_uwsgis_workers_deliver_while_they_live(threads, mode, serve, names):
    with serve([*UWSGI, *threads], mode=mode, delay=0.05) as ask:
        ask_until_it_answers(ask)
        ask_until_delivered(ask, names)


@pytest.mark.parametrize("mode", ["queue", "spool"])
def test_uwsgis_workers_deliver_when_they_end(mode, serve, names, tmp_path):
    with serve(UWSGI, mode=mode, delay=60, ends=True) as ask:
        ask_until_it_answers(ask)
        for _ in range(19):
            ask()
        log = tmp_path / "server.log"
        wait_until(lambda: log.read_text().count("=> generated") >= 20)
        wait_until(lambda: have_booted(tmp_path, UWSGI))
    if mode == "spool":  # uWSGI may end a worker that is busy: the next process delivers then
        code = "import app; assert app.et.get_tracker().flush(60)"
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=DEADLINE)
    assert names()["request"] == 20


@pytest.mark.once
@pytest.mark.parametrize("mode", ["queue", "spool"])
@pytest.mark.parametrize("worker", ["sync", "gthread", "gevent"])
def test_workers_of_a_preloaded_gunicorn_answer_and_deliver(worker, mode, serve, names):
    with serve([*GUNICORN, worker, "app:application"], mode=mode, delay=0.05) as ask:
        ask_until_it_answers(ask)
        ask_until_delivered(ask, names)
