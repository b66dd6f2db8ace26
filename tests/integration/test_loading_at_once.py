"""Plugins that several threads load at once."""

from __future__ import annotations

import subprocess
import sys


def test_threads_that_load_the_same_plugins_at_once_all_get_them():
    program = """
import sys, threading, eventtracking_core as et
sys.setswitchinterval(1e-6)
barrier, said = threading.Barrier(8), []
def configure(number):
    barrier.wait()
    try:
        backends = {"a": {"type": "logger", "name": "x"}, "b": "null"}
        et.Tracker().configure({"backends": backends})
        said.append("configured")
    except Exception as error:
        said.append(error)
threads = [threading.Thread(target=configure, args=[n]) for n in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert said == ["configured"] * 8, said
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
