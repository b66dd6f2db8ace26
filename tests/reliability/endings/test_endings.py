"""P23: whatever holds events is drained at the end, however the process comes to it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from waiting import DEADLINE

PROGRAM = Path(__file__).with_name("programs_that_end.py")

sys.path.insert(0, str(PROGRAM.parent))
from programs_that_end import WAYS  # noqa: E402  a program beside this file

ENDINGS = [way for way in WAYS if way != "adopt"]


def start(way, mode, directory):
    return subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", PROGRAM, way, mode],
        cwd=directory, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def lines(path):
    return Counter(path.read_text().split()) if path.exists() else Counter()


# What a Python does at its end shows where a thread delivers what is in the memory.
@pytest.mark.parametrize(
    "mode",
    [
        pytest.param("inline", marks=pytest.mark.once),
        "queue",
        pytest.param("spool", marks=pytest.mark.once),
    ],
)
@pytest.mark.parametrize("way", ENDINGS)
def test_however_a_process_ends_everything_it_emitted_is_delivered_once(way, mode, tmp_path):
    program = start(way, mode, tmp_path)
    try:
        errors = program.communicate(timeout=DEADLINE)[1]
    finally:
        program.kill()
        program.communicate()
    emitted = lines(tmp_path / "emitted")
    assert emitted, errors
    # What a signal or a timeout left in a spool is delivered by the next process.
    has_rest = mode == "spool" and (program.returncode < 0 or "timed_out" in way)
    if has_rest:
        start("adopt", mode, tmp_path).communicate(timeout=DEADLINE)
    delivered = lines(tmp_path / "delivered") + lines(tmp_path / "others")
    if has_rest:  # what was interrupted is sent again
        delivered = Counter(set(delivered))
    assert "Traceback" not in errors or "ctrl_c" in way, errors
    assert delivered == emitted, (program.returncode, errors[-2000:])
