"""A short chaos run; `tox -e chaos` is the long one."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).with_name("run.py")


def test_a_short_time_of_chaos_loses_nothing(measured):
    seed = str(random.SystemRandom().randrange(10**6))
    command = [sys.executable, str(RUN), "--seconds", "8", "--seed", seed]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, (seed, done.stdout, done.stderr)
    measured("chaos", done.stdout.strip().replace("\n", "; "))
