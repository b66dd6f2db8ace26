"""P24: a child that is told to end as soon as it exists ends."""

from __future__ import annotations

import pytest

PROGRAM = """
    import os, select, signal, sys
    import eventtracking_core as et

    backend = {"type": "file", "path": "events.ndjson", "delivery": "queue"}
    if "by call" in sys.argv:
        backend["delivery"] = "inline"
        et.drain_on_sigterm()
    et.configure({"backends": {"sink": backend}})
    reader, _ = os.pipe()
    for _ in range(50):
        child = os.fork() if "fork" in sys.argv else os.forkpty()[0]
        while child == 0:
            select.select([reader], [], [], 1.0)
        os.kill(child, signal.SIGTERM)
        assert os.waitpid(child, 0)[1] & 0x7F == signal.SIGTERM
    et.emit("parent")
"""


@pytest.mark.parametrize("arguments", [["fork"], ["forkpty"], ["fork", "by call"]], ids=" ".join)
def test_a_child_that_is_told_to_end_at_once_ends(arguments, program, names):
    program(PROGRAM, *arguments)
    assert names() == {"parent": 1}
