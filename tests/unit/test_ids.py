"""Event ids: UUIDv7 as text, never the same twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime
from uuid import RFC_4122, UUID

import pytest

from eventtracking_core.events import new_id


def milliseconds(event_id):
    return UUID(event_id).int >> 80


@pytest.fixture
def in_a_process_of_its_own():
    """Runs a program that prints JSON; returns what it printed."""

    def run(program):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
        )
        return json.loads(done.stdout)

    return run


def test_an_id_is_laid_out_as_rfc_9562_says():
    before = datetime.now(UTC).timestamp() * 1000
    made = new_id()

    assert str(UUID(made)) == made
    assert (UUID(made).version, UUID(made).variant) == (7, RFC_4122)
    assert -1 < milliseconds(made) - before < 10_000


@pytest.mark.native
def test_ids_increase_also_where_a_millisecond_has_more_than_its_counter_holds(
    in_a_process_of_its_own,
):
    ids = in_a_process_of_its_own("""
import json
from datetime import UTC, datetime, timedelta
from eventtracking_core.events import id_at
moment = datetime.now(UTC) + timedelta(hours=1)
print(json.dumps([id_at(moment) for _ in range(10_000)]))
""")

    assert ids == sorted(set(ids))
    assert len(ids) == 10_000
    assert milliseconds(ids[-1]) - milliseconds(ids[0]) == 10_000 // 4096  # borrowed


@pytest.mark.native
def test_ids_increase_when_the_clock_is_set_back_or_forth(in_a_process_of_its_own):
    ids = in_a_process_of_its_own("""
import json
from datetime import UTC, datetime, timedelta
from eventtracking_core.events import id_at
moment, day = datetime.now(UTC), timedelta(days=1)
print(json.dumps([id_at(moment + step) for step in (0 * day, day, 0 * day, -day, day)]))
""")

    assert ids == sorted(set(ids))


def test_a_seed_of_the_application_changes_nothing():
    state = random.getstate()
    random.seed(1)
    first = {new_id() for _ in range(100)}
    random.seed(1)
    second = {new_id() for _ in range(100)}
    drawn = random.random()
    random.seed(1)

    assert not first & second
    assert random.random() == drawn  # and ids take nothing from the application's numbers
    random.setstate(state)


@pytest.mark.native
def test_a_forked_child_repeats_none_of_its_parents_ids(in_a_process_of_its_own):
    ids = in_a_process_of_its_own("""
import json, os
from eventtracking_core.events import id_at, new_id
from datetime import UTC, datetime
moment = datetime.now(UTC)
id_at(moment)
pipes = []
for _ in range(5):
    reading, writing = os.pipe()
    if not os.fork():
        os.write(writing, json.dumps([id_at(moment) for _ in range(100)]).encode())
        os._exit(0)
    os.close(writing)
    pipes.append(reading)
made = [id_at(moment) for _ in range(100)]
for reading in pipes:
    made += json.loads(os.fdopen(reading).read())
    os.wait()
print(json.dumps(made))
""")

    assert len(set(ids)) == len(ids) == 600
    # Two processes share a millisecond and a counter, never the 62 random bits.
    assert len({event_id[19:] for event_id in ids}) >= 6


@pytest.mark.native
def test_ids_made_in_a_signal_handler_are_unique_too():
    made, in_handler = [], []
    before = signal.signal(signal.SIGVTALRM, lambda *_: in_handler.append(new_id()))
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.0002, 0.0002)
    try:
        while len(in_handler) < 50:
            made += [new_id() for _ in range(5_000)]
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)

    assert len({*made, *in_handler}) == len(made) + len(in_handler)
    assert made == sorted(made)
