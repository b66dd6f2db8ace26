"""P30: gevent and eventlet, whenever they replace the threads of a program."""

from __future__ import annotations

import pytest

PROGRAM = """
    import sys
    import eventtracking_core as et

    library, moment, mode = sys.argv[1:4]

    def patch(now):
        if now != moment:
            return
        if library == "gevent":
            from gevent import monkey
            monkey.patch_all()
        else:
            import eventlet
            eventlet.monkey_patch()

    patch("imported")
    delivery = {"mode": mode, "directory": "spool", "schedule_delay": 0.05, "fsync_interval": 0.01}
    backend = {"type": "file", "path": "events.ndjson", "delivery": delivery}
    et.configure({"shutdown_timeout": 60, "backends": {"sink": backend}})
    patch("configured")
    et.emit("first")
    patch("emitted")
    import time

    for _ in range(20):
        et.emit("request")
        began = time.monotonic()
        time.sleep(0.01)
        assert time.monotonic() - began < 30, "other greenlets stand still"
    assert et.get_tracker().flush(60)
    deadline = time.monotonic() + 60
    et.emit("late")
    while '"late"' not in open("events.ndjson").read():
        assert time.monotonic() < deadline, "the worker stands still"
        time.sleep(0.01)
    et.emit("last")
"""


@pytest.mark.parametrize("mode", ["queue", "spool"])
@pytest.mark.parametrize("moment", ["imported", "configured", "emitted"])
@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_events_are_delivered_and_nothing_stands_still(library, moment, mode, program, names):
    program(PROGRAM, library, moment, mode)
    assert names() == {"first": 1, "request": 20, "late": 1, "last": 1}


CONTENDED = """
    import sys
    import eventtracking_core as et

    kind, mode = sys.argv[1:3]
    delivery = {"mode": mode, "directory": "spool", "schedule_delay": 0, "fsync_interval": 0.001}
    backend = {"type": kind, "path": "events", "delivery": delivery}
    et.configure({"shutdown_timeout": 60, "backends": {"sink": backend}})
    et.emit("first")
    import eventlet
    eventlet.monkey_patch()

    for _ in range(1_000):
        et.emit("request")
    assert et.get_tracker().flush(60)
"""


@pytest.mark.parametrize("mode", ["queue", "spool"])
@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_eventlet_replaces_no_lock_that_a_running_worker_shares(kind, mode, program):
    program(CONTENDED, kind, mode)
