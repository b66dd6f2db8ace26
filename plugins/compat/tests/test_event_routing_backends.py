"""edx-event-routing-backends, unmodified, over the drop-in: from an event to the LRS and back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

import pytest
from ralph_lrs import RalphLrs
from waiting import DEADLINE

CAMPUS = Path(__file__).parent / "campus"
SESSION = "https://w3id.org/xapi/openedx/extensions/session-id"


@pytest.fixture(scope="module")
def ralph(tmp_path_factory, shared_mongod):
    made = RalphLrs(tmp_path_factory.mktemp("ralph"), shared_mongod.uri)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def environ(ralph, valkey, tmp_path):
    found = {**os.environ, "BROKER": valkey.url, "LRS": ralph.url, "DB": str(tmp_path / "db")}
    return {**found, "SPOOL": str(tmp_path / "spool"), "CALIPER": str(tmp_path / "caliper.ndjson")}


def run(environ, *command):
    subprocess.run([sys.executable, *command], cwd=CAMPUS, env=environ, check=True, timeout=200)


@pytest.fixture
def worker(environ, tmp_path):
    made = []

    def start():
        with (tmp_path / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "celery", "-A", "campus", "worker", "-c", "1"]
            made.append(
                subprocess.Popen(
                    command, cwd=CAMPUS, env=environ, stdout=log, stderr=log, start_new_session=True
                )
            )

    yield start
    for each in made:
        each.terminate()
        try:
            each.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            os.killpg(each.pid, signal.SIGKILL)
            each.wait()


@pytest.fixture
def sessions(ralph, tmp_path):
    """Return the sessions of the stored statements, once there are so many."""

    def stored(count):
        deadline = monotonic() + 2 * DEADLINE
        pause = threading.Event()
        found = []
        while len(found) < count:
            assert monotonic() < deadline, (found, (tmp_path / "worker.log").read_text()[-4000:])
            pause.wait(0.1)
            found = [each["context"]["extensions"][SESSION] for each in ralph.statements()]
        return sorted(found)

    return stored


@pytest.mark.timeout(600)  # it installs a server, and starts five programs that load Django
def test_events_become_statements_in_the_store_each_once_although_it_is_killed(
    environ, worker, ralph, sessions
):
    run(environ, "prepare.py")
    run(environ, "enrol.py", "0", "5")
    worker()
    assert sessions(5) == [f"s{n}" for n in range(5)]
    ralph.kill()
    run(environ, "enrol.py", "5", "10")
    ralph.start()
    assert sessions(10) == [f"s{n}" for n in range(10)]
    caliper = [json.loads(line) for line in Path(environ["CALIPER"]).read_text().splitlines()]
    assert {each["data"]["action"] for each in caliper} == {"Activated"}
    assert len(caliper) == 10


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_its_own_client_finds_the_store(environ, worker, ralph, sessions):
    environ["OWN_CLIENT"] = "1"
    before = len(ralph.statements())
    run(environ, "prepare.py")
    run(environ, "enrol.py", "20", "23")
    worker()
    assert {"s20", "s21", "s22"} <= set(sessions(before + 3))
