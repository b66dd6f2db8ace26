"""P29: in a program that closes all descriptors, nothing is lost and no file of its own touched."""

from __future__ import annotations

import pytest

PROGRAM = """
    import os, sys
    import eventtracking_core as et

    mode, limit = sys.argv[1], int(sys.argv[2])
    delivery = {"mode": mode, "schedule_delay": 0.01, "directory": "spool"}
    if mode == "inline":
        delivery = mode
    type_name, path = sys.argv[3:5]
    backend = {"type": type_name, "path": path, "delivery": delivery}
    et.configure({"shutdown_timeout": 5, "backends": {"sink": backend}})
    for _ in range(20):
        et.emit("before")
    assert et.get_tracker().flush(5)
    os.closerange(3, limit)
    files = [open(f"{number}.txt", "w+") for number in range(50)]
    for file in files:
        file.write("precious")
        file.flush()
    for _ in range(20):
        et.emit("after")
    assert et.get_tracker().flush(5)
    et.emit("after")
    assert et.get_tracker().shutdown(5)
    for file in files:
        file.seek(0)
        assert file.read() == "precious"
        file.close()
"""


@pytest.mark.parametrize("limit", ["256", "1024", "65536"])
@pytest.mark.parametrize("mode", ["inline", "queue", "spool"])
def test_a_daemon_that_closes_descriptors_keeps_its_events_and_its_files(
    mode, limit, program, names
):
    program(PROGRAM, mode, limit, "file", "events.ndjson")
    assert names() == {"before": 20, "after": 21}
