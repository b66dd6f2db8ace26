"""A short chaos run; `tox -e chaos` is the long one."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")


@pytest.mark.once
@pytest.mark.timeout(240)
def test_a_short_time_of_chaos_loses_nothing(measured):
    seed = str(random.SystemRandom().randrange(10**6))
    command = [sys.executable, str(RUN), "--seconds", "5", "--seed", seed]
    done = subprocess.run(command, capture_output=True, text=True, timeout=220, check=False)
    assert done.returncode == 0, (seed, done.stdout, done.stderr)
    measured("chaos", done.stdout.strip().replace("\n", "; "))
