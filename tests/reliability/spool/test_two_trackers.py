"""Trackers of one process with a backend at the same path: each delivers its own events."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import eventtracking_core as et

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


def test_what_was_kept_without_the_name_is_adopted_once(tmp_path):
    run(["default"], tmp_path, fails=True, ends=True)
    run(["audit"], tmp_path, fails=False)
    assert (tmp_path / "delivered").read_text() == "[0, 0]\n"

    run(["default"], tmp_path, fails=True, ends=True)
    run(["audit"], tmp_path, fails=False)
    assert (tmp_path / "delivered").read_text() == "[0, 0]\n"


def test_dead_letters_come_along(tmp_path):
    class Refusing:
        def send(self, event):
            raise et.RejectedError

    def configured(name):
        tracker = et.Tracker()
        tracker.name = name
        delivery = {"mode": "queue", "directory": str(tmp_path)}
        backends = {"s": Refusing()}
        tracker.configure({"backends": {"r": {"delivery": delivery, "backends": backends}}})
        return tracker, tracker.root.leaves()[0]

    tracker, leaf = configured("default")
    tracker.emit("refused")
    assert tracker.shutdown(60)
    assert len(list(leaf.dead_letters.letters())) == 1

    tracker, leaf = configured("audit")
    assert len(list(leaf.dead_letters.letters())) == 1
    tracker.shutdown(10)
