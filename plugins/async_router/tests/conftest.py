"""Sites to test with: a configuration, a tracker that emits, workers, and what is stored."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from async_router_desk import desk
from paths_below import paths_below
from waiting import exit_code, wait_until

import eventtracking_core as et
from eventtracking_core.delivery import DeadLetters

__all__ = ["broker", "desk", "emitting", "site"]

QUICK = {"schedule_delay": 0.02, "initial_interval": 0.05, "max_interval": 0.2}

HERE = Path(__file__).parent


class Site:
    """A configuration in a directory, whoever emits there, and the workers that deliver."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        self._stack = stack
        self.config = directory / "eventtracking.json"
        self.workers: list[Worker] = []

    def configure(self, **backends):
        """Write a configuration; delivery waits for nothing long, and keeps all below here."""
        self.config.write_text(json.dumps({"shutdown_timeout": 60, "backends": backends}))

    def node(self, broker, children, **options):
        delivery = {
            **QUICK,
            **options.pop("delivery", {}),
            "directory": str(self.directory / "kept"),
        }
        node = {"type": "async_router", "broker": broker, "queue": self.queue, **options}
        return {**node, "delivery": delivery, "backends": children}

    @property
    def queue(self):
        return re.sub(r"\W", "-", self.directory.name)[:100]

    def store(self, name="store", kind="sqlite", **delivery):
        """Return a child that stores into a database of its own."""
        options = {**QUICK, "directory": str(self.directory / "kept"), **delivery}
        return {"type": kind, "path": str(self.directory / f"{name}.db"), "delivery": options}

    def tracker(self):
        """Return a tracker that emits here, as the default one."""
        tracker = et.Tracker(name="default")
        tracker.configure(self.config)
        self._stack.callback(tracker.shutdown, 2)
        return tracker

    def worker(self, *arguments, config=None, app="eventtracking_async_router.worker", **environ):
        worker = Worker(self, [*arguments], config or self.config, app, environ)
        self._stack.callback(worker.kill)
        self.workers.append(worker)
        return worker

    def stored(self, name="store"):
        """Return the numbers that are stored, as often as they are."""
        with suppress(sqlite3.Error), closing(self._open(name)) as database:
            rows = database.execute("SELECT json_extract(event, '$.data.n') FROM events")
            return Counter(number for (number,) in rows)
        return Counter()

    def events(self, name="store"):
        with closing(self._open(name)) as database:
            rows = database.execute("SELECT event FROM events ORDER BY id").fetchall()
        return [json.loads(event) for (event,) in rows]

    def has_stored(self, count, name="store"):
        wait_until(lambda: len(self.stored(name)) >= count)
        return self.stored(name) == Counter(range(count))

    def _open(self, name):
        return sqlite3.connect(f"file:{self.directory / name}.db?mode=ro", uri=True)

    def dead_letters(self):
        """Return the letters below this directory, by the path of their place."""
        found = {}
        for directory in paths_below(self.directory, "dead"):
            path = str(directory.parent.relative_to(self.directory / "kept"))
            found[path] = list(DeadLetters(directory, 0).letters())
        return found

    def program(self, *arguments):
        """Run a command of `eventtracking` on this configuration; return what it says."""
        done = subprocess.run(
            [sys.executable, "-c", "from eventtracking_cli import main; main()", *arguments],
            env=self.environment(EVENTTRACKING_CONFIG_FILE=str(self.config)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def environment(self, **more):
        kept = {"EVENTTRACKING_SPOOL_DIRECTORY": str(self.directory / "kept")}
        return os.environ | kept | {"PYTHONPATH": f"{HERE}:{self.directory}"} | more


class Worker:
    """A `celery worker` with its children, in a session of its own."""

    def __init__(self, site, arguments, config, app, environ):
        self.log = site.directory / f"worker-{len(site.workers)}.log"
        command = [sys.executable, "-m", "celery", "-A", app, "worker", "-l", "INFO"]
        command += ["--without-gossip", "--without-mingle"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "-n", f"w{len(site.workers)}@%h", *arguments],
                cwd=site.directory,
                env=site.environment(
                    EVENTTRACKING_CONFIG_FILE=str(config), PYTHONFAULTHANDLER="1", **environ
                ),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def text(self):
        return self.log.read_text()

    def is_ready(self):
        wait_until(lambda: " ready." in self.text())
        return self

    def kill(self):
        """Kill it with all its children, as `kill -9` does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Let it finish what it has begun; return what it said."""
        self.process.terminate()
        assert exit_code(self.process, self.log) == 0
        return self.text()

    def ledger(self):
        """Return what it did in all, by path and word, once it has ended."""
        found = {}
        for path, numbers in re.findall(r"process \d+, ([\w.]+): (\d.*)", self.text()):
            counts = found.setdefault(path, Counter())
            for number, word in re.findall(r"(\d+) (\w+)", numbers):
                counts[word] += int(number)
        return found


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(HERE)
    with ExitStack() as stack:
        yield Site(tmp_path, stack)


@pytest.fixture(params=["redis", "amqp"])
def broker(request):
    """The address of each broker in turn."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(scope="session")
def emitting():
    """Emits numbers, and returns what the node's leaf says once all are published."""

    def emit(tracker, numbers, name="numbered"):
        for n in numbers:
            tracker.emit(name, {"n": n})
        return tracker

    return emit
