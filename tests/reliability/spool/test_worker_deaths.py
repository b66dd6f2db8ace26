"""P27: an event that kills the process which delivers it becomes a dead letter; others go on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from paths_below import paths_below

from eventtracking_core.delivery import DeadLetters

PROGRAM = """
import json, os, signal, sys, threading
import eventtracking_core as et

emitted = threading.Event()

class Sink:
    def send_batch(self, events, *, timeout):
        emitted.wait()
        if any(event["data"]["n"] in kills for event in events):
            os.kill(os.getpid(), signal.SIGKILL)
        with open(os.path.join(directory, "delivered"), "a") as file:
            file.write("".join(f"{event['data']['n']}\\n" for event in events))

directory, number, kills, same_id, Sink.takes_json, options = json.loads(sys.argv[1])
tracker = et.Tracker()
delivery = {"mode": "spool", "directory": directory, "schedule_delay": 0.01, **options}
node = {"delivery": delivery, "backends": {"a": Sink()}}
if same_id:
    node["processors"] = [lambda event: {**event, "id": "the same"}]
tracker.configure({"backends": {"sink": node}})
for n in range(number):
    tracker.emit("numbered", {"n": n})
emitted.set()
assert tracker.flush(60)
tracker.shutdown(5)
"""


@pytest.fixture
def run(tmp_path):
    def start(number, kills, *, same_id=False, takes_json=False, **options):
        arguments = json.dumps([str(tmp_path), number, kills, same_id, takes_json, options])
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        return done.returncode != 0

    return start


@pytest.fixture
def delivered(tmp_path):
    return lambda: {int(line) for line in (tmp_path / "delivered").read_text().split()}


def letters(tmp_path):
    found = [DeadLetters(path, 0).letters() for path in paths_below(tmp_path, "dead")]
    return [letter for each in found for letter in each]


@pytest.mark.parametrize(
    ("kills", "takes_json"), [([7], True), ([0], False), ([39], False), ([3, 30], True)]
)
def test_an_event_that_kills_its_process_is_a_dead_letter_after_three_deaths(
    kills, takes_json, run, delivered, tmp_path
):
    deaths = [run(40, kills, takes_json=takes_json)]
    while deaths[-1]:
        assert len(deaths) < 10
        deaths.append(run(0, kills, takes_json=takes_json))

    assert sum(deaths) == 3 if len(kills) == 1 else 5
    assert delivered() == set(range(40)) - set(kills)
    gone = letters(tmp_path)
    assert len({letter.wire for letter in gone}) == len(kills)
    assert {letter.reason for letter in gone} == {"worker_deaths"}


def test_how_many_deaths_is_an_option(run, delivered, tmp_path):
    assert run(5, [2], max_worker_deaths=2)
    assert run(0, [2], max_worker_deaths=2)
    assert not run(0, [2], max_worker_deaths=2)
    assert delivered() == {0, 1, 3, 4}
    assert len(letters(tmp_path)) == 1


def test_a_process_that_ends_in_order_is_no_death(run, delivered, tmp_path):
    for _ in range(4):
        assert not run(10, [])
    assert delivered() == set(range(10))
    assert letters(tmp_path) == []
    assert list(tmp_path.rglob("deliveries/*")) == []


def test_events_of_one_id_count_each_death_once(run, delivered, tmp_path):
    assert run(10, list(range(10)), same_id=True)
    assert run(0, list(range(10)))
    assert not run(0, [])
    assert delivered() == set(range(10))
    assert letters(tmp_path) == []
