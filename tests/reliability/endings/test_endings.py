"""P23: whatever holds events is drained at the end, however the process comes to it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from waiting import DEADLINE

PROGRAM = Path(__file__).with_name("programs_that_end.py")
MODES = ("inline", "queue", "spool")

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


@pytest.mark.parametrize("way", ENDINGS)
def test_however_a_process_ends_everything_it_emitted_is_delivered_once(way, tmp_path):
    running = {}
    for mode in MODES:
        (tmp_path / mode).mkdir()
        running[mode] = start(way, mode, tmp_path / mode)
    try:
        errors = {mode: each.communicate(timeout=DEADLINE)[1] for mode, each in running.items()}
    finally:
        for program in running.values():
            program.kill()
            program.communicate()
    for mode, program in running.items():
        directory = tmp_path / mode
        emitted = lines(directory / "emitted")
        assert emitted, errors[mode]
        # What a signal or a timeout left in a spool is delivered by the next process.
        has_rest = mode == "spool" and (program.returncode < 0 or "timed_out" in way)
        if has_rest:
            start("adopt", mode, directory).communicate(timeout=DEADLINE)
        delivered = lines(directory / "delivered") + lines(directory / "others")
        if has_rest:  # what was interrupted is sent again
            delivered = Counter(set(delivered))
        assert "Traceback" not in errors[mode] or "ctrl_c" in way, errors[mode]
        assert delivered == emitted, (mode, program.returncode, errors[mode][-2000:])
