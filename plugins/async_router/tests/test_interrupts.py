"""Interrupts, such as Celery's soft time limit, at any call of a delivery or a publication."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# A process of its own: what an interrupt does to the state of Celery and Kombu stays there.
PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path

from async_router_desk import Desk, a_message
from delivery_fixtures import Sink
from interrupting import calls_interrupted, in_a_thread
from waiting import wait_until

from eventtracking_async_router.broker import QueuePublisher
from eventtracking_core.delivery.queued import QueuedEvent
from eventtracking_core.encoding import encode_msgpack

desk = Desk(Path(sys.argv[2]), "interrupts")
desk.configure(store=Sink())
leaf = desk.leaf()
publisher = QueuePublisher(lambda: desk.app, desk.queue)

def items():
    event = {"id": "x", "name": "numbered", "timestamp": datetime.now(UTC)}
    event |= {"context": {}, "data": {"n": 1}}
    return [QueuedEvent(encode_msgpack(event), event, None)]

def deliver():
    return leaf.deliver_batch(items(), since=None, last=None) is None

def dead_letter():
    return leaf.dead_letter(items(), "worker_deaths") is None

def shut_down():
    return leaf.shutdown(1)

def publish():
    publisher.publish(a_message(desk, 1), timeout=30)
    return close()

def close():
    return publisher.close(0.5)

act, check, step = {
    "deliver": (deliver, deliver, 1),
    "dead_letter": (dead_letter, deliver, 3),
    "shut_down": (shut_down, shut_down, 1),
    "publish": (publish, close, 3),
}[sys.argv[1]]
assert deliver()
places = 0
for place in calls_interrupted(act, step):
    places += 1
    # An interrupt of the backend is followed by a short backoff.
    wait_until(lambda: in_a_thread(check), 20)
print(places)
"""


@pytest.mark.parametrize("act", ["deliver", "dead_letter", "shut_down", "publish"])
def test_another_thread_goes_on_after_an_interrupt(act, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, act, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5
