"""P11: a client that is imported with the first batch is so as late as the program ends."""

from __future__ import annotations

import subprocess
import sys

from waiting import DEADLINE

PROGRAM = """
import eventtracking_core as et


class Sink:
    def send_batch(self, events, *, timeout):
        from concurrent.futures import ThreadPoolExecutor  # as drivers of databases do

        with open("delivered", "a") as file:
            file.writelines(event["name"] for event in events)


et.configure({"backends": {"a": {"backends": {"sink": Sink()}, "delivery": "queue"}}})
et.emit("a.b")
"""


def test_a_client_that_needs_threads_is_imported_as_the_program_ends(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=DEADLINE,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (tmp_path / "delivered").read_text() == "a.b"
