"""A project in processes of its own: on real servers, and from the command line."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest
from free_ports import free_port
from server_workers import have_booted, note_boots
from waiting import DEADLINE, exit_code

HERE = Path(__file__).parent

SERVERS = {
    "gunicorn": ("gunicorn", "shop:wsgi", "-b", "127.0.0.1:PORT", "-w", "2", "--preload"),
    "gunicorn-gthread": (
        *("gunicorn", "shop:wsgi", "-b", "127.0.0.1:PORT", "-w", "2"),
        *("-k", "gthread", "--threads", "4"),
    ),
    "gunicorn-gevent": (
        *("gunicorn", "shop:wsgi", "-b", "127.0.0.1:PORT", "-w", "2", "-k", "gevent"),
    ),
    "uvicorn": ("uvicorn", "shop:asgi", "--port", "PORT", "--log-level", "warning"),
    "gunicorn-gevent-preload": (
        *("gunicorn", "shop:wsgi", "-b", "127.0.0.1:PORT", "-w", "2", "--preload"),
        *("-k", "gevent"),
    ),
    "gunicorn-uvicorn": (
        *("gunicorn", "shop:asgi", "-b", "127.0.0.1:PORT", "-w", "2", "--preload"),
        *("-k", "uvicorn_worker.UvicornWorker"),
    ),
}


@pytest.fixture
def environment(tmp_path):
    """Return the environment of a process of the project, with one configuration."""

    def make(configuration, **variables):
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "shop_settings",
            "PYTHONPATH": str(HERE),
            "SHOP_EVENTTRACKING": json.dumps(configuration),
            **variables,
        }

    return make


@pytest.fixture
def manage(tmp_path, environment):
    """Run a management command in a new directory; return what ended."""

    def run(configuration, *words, **variables):
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "django", *words],
            cwd=tmp_path,
            env=environment(configuration, **variables),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.mark.once
@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_is_ended_has_stored_the_events_of_every_answered_request(
    name, tmp_path, environment
):
    store = {"type": "sqlite", "path": str(tmp_path / "events.db"), "delivery": "queue"}
    port = free_port()
    log = tmp_path / "server.log"
    note_boots(tmp_path)
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m"]
            + [word.replace("PORT", str(port)) for word in SERVERS[name]],
            cwd=tmp_path,
            env=environment({"backends": {"store": store}}),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def get(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=DEADLINE) as response:
            return response.read()

    answered, stop = [], threading.Event()

    def ask(start):
        for order in range(start, start + 60):
            if stop.is_set():
                return
            with suppress(OSError):
                path = f"/stream/{order}/" if "uvicorn" not in name else f"/async/stream/{order}/"
                assert get(path) == b"ab"
                answered.append(order)
                if len(answered) == 60:
                    stop.set()
                    server.send_signal(signal.SIGTERM)

    try:
        deadline = monotonic() + DEADLINE
        while True:
            with suppress(OSError):
                get("/orders/0/")
                if have_booted(tmp_path, SERVERS[name]):
                    break
            assert server.poll() is None, log.read_text()
            assert monotonic() < deadline, log.read_text()
            sleep(0.05)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(ask, range(100, 500, 100)))
        exit_code(server, log)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    with closing(sqlite3.connect(store["path"])) as database:
        events = [json.loads(text) for (text,) in database.execute("SELECT event FROM events")]
    assert len({event["id"] for event in events}) == len(events)
    counts = {}
    for event in events:
        if "order" in event["data"]:
            order = event["data"]["order"]
            assert event["context"]["path"].endswith(f"/{order}/")
            counts[order] = counts.get(order, 0) + 1
    assert len(answered) >= 60
    expected = 2 if "uvicorn" in name else 3
    assert [order for order in answered if counts.get(order, 0) < expected] == []


def test_a_server_does_not_start_with_a_configuration_that_cannot_be_used(tmp_path, environment):
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import shop"],
        cwd=tmp_path,
        env=environment({"backends": {"a": {"type": "mogno"}}}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "backends.a.type: unknown backend 'mogno'; did you mean 'mongo'?" in ended.stderr


def test_manage_py_check_prints_every_mistake_with_its_path(manage):
    wrong = {"backends": {"a": {"type": "mogno"}, "b": {"type": "memory", "size": 1}}}
    ended = manage(wrong, "check")
    assert ended.returncode == 1
    assert "(eventtracking.E001) backends.a.type: unknown backend 'mogno'" in ended.stderr
    assert "(eventtracking.E001) backends.b.size: unknown option" in ended.stderr


def test_events_of_a_management_command_say_which_one(manage, tmp_path):
    archive = {"backends": {"archive": {"type": "file", "path": str(tmp_path / "events.ndjson")}}}
    code = "import eventtracking_core as et; et.emit('counted')"
    assert manage(archive, "shell", "-c", code).returncode == 0
    event = json.loads((tmp_path / "events.ndjson").read_text())
    assert event["context"] == {"command": "shell"}


def test_the_types_can_be_inspected_outside_of_a_project(tmp_path):
    code = (
        "from eventtracking_core.plugins import plugins\n"
        "for name in ('django.on_commit', 'django.outbox'): plugins.find('backend', name)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=60)
