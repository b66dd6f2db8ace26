"""Trackers of one process with a backend at the same path: each delivers its own events."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, os, sys
import eventtracking_core as et

class Sink:
    def __init__(self, name, fails):
        self.name, self.fails = name, fails
    def send(self, event):
        if self.fails:
            raise et.RetryableError("away")
        with open("delivered", "a") as file:
            file.write(json.dumps([self.name, event["data"]["from"]]) + "\\n")

names, fails, ends = json.loads(sys.argv[1])
trackers = []
for number, name in enumerate(names):
    tracker = et.get_tracker() if name == "default" else et.Tracker()
    if name not in ("default", None):
        et.register_tracker(tracker, name)
    delivery = {"mode": "spool", "directory": "kept"}
    router = {"delivery": delivery, "backends": {"s": Sink(number, fails)}}
    tracker.configure({"shutdown_timeout": 0.2, "backends": {"sink": router}})
    if fails:
        tracker.emit("kept", {"from": number})
    trackers.append(tracker)
if ends:
    os._exit(0)
assert fails or all(tracker.flush(60) for tracker in trackers)
"""


def run(names, directory, *, fails, ends=False):
    subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([names, fails, ends])],
        cwd=directory, check=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("ends", [True, False], ids=["killed", "in order"])
@pytest.mark.parametrize(
    "names", [["default", "audit"], ["a", "b", "c"], [None, None], ["default", None, "a/b.c@d"]]
)
def test_each_tracker_delivers_what_it_left(names, ends, tmp_path):
    run(names, tmp_path, fails=True, ends=ends)
    run(names, tmp_path, fails=False)

    delivered = [json.loads(line) for line in (tmp_path / "delivered").read_text().splitlines()]
    assert sorted(delivered) == [[number, number] for number in range(len(names))]
