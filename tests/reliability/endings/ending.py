"""What the programs that end have in common: a tracker with pending events, and its sink."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import eventtracking_core as et

NUMBER = 200
NEVER = threading.Event()
WAYS = {}
"""The function of each way to end, by its name."""
RUN = SimpleNamespace(mode="inline", keeps=30)
"""How the program runs: the delivery's mode, and how many events the sink keeps to itself."""


class Sink:
    """Keeps some events to itself, where it will be shut down; takes its time to deliver."""

    def __init__(self, seconds=0.002, path="delivered"):
        self._waiting = []
        self.entered = threading.Event()
        self._seconds = seconds
        self._path = path
        os.register_at_fork(after_in_child=self._waiting.clear)

    def send(self, event):
        self._waiting.append(event["data"]["n"])
        self.entered.set()
        if len(self._waiting) >= RUN.keeps:
            self._write()

    def shutdown(self, timeout):
        self.entered.set()
        time.sleep(self._seconds)
        self._write()
        return True

    def _write(self):
        time.sleep(self._seconds * RUN.keeps / 30)
        with Path(self._path).open("a") as file:
            file.writelines(f"{n}\n" for n in self._waiting)
        self._waiting.clear()


def config(sink=None, name="a"):
    delivery = {"mode": RUN.mode} | ({} if RUN.mode == "inline" else {"schedule_delay": 30})
    delivery |= {"directory": "kept"} if RUN.mode == "spool" else {}
    return {
        "shutdown_timeout": 60,
        "backends": {"r": {"delivery": delivery, "backends": {name: sink or Sink()}}},
    }


def emit(tracker=None, first=0, number=NUMBER):
    tracker = tracker or et.get_tracker()
    with Path("emitted").open("a") as file:
        for n in range(first, first + number):
            tracker.emit("ended", {"n": n})
            file.write(f"{n}\n")


def started(sink=None):
    sink = sink or Sink()
    tracker = et.get_tracker()
    tracker.configure(config(sink))
    emit()
    sink.entered.clear()  # from here on, it is set once the sink is being drained
    return tracker


def way(function):
    WAYS[function.__name__] = function
    return function


def in_a_thread(call, *, daemon=True):
    threading.Thread(target=call, daemon=daemon).start()


def while_draining(sink, *calls):
    """Call each of these, in a thread: the first once the sink is being drained, or soon."""

    def call_all():
        sink.entered.wait(0.2)  # some ways end without a drain
        for call in calls:
            call()
            NEVER.wait(0.02)

    in_a_thread(call_all)


def end_while_draining(sink, *calls):
    """End by SIGTERM; make the calls while that drains."""
    while_draining(sink, *calls)
    kill()
    wait()


def kill(number=signal.SIGTERM):
    os.kill(os.getpid(), number)


def wait():
    while True:
        NEVER.wait(0.02)
