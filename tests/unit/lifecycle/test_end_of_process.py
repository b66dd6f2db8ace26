"""The end of the process: trackers are shut down at exit and, if asked for, on SIGTERM."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

import eventtracking_core as et

AT_EXIT = """
import sys
import eventtracking_core as et

class Buffering:
    def __init__(self):
        self.waiting = []
    def send(self, event):
        self.waiting.append(event["name"])
    def shutdown(self, timeout):
        print(*self.waiting, "within", 0 < timeout <= 5)
        return True

et.configure({"shutdown_timeout": 3, "backends": {"a": Buffering()}})
named = et.Tracker({"b": Buffering()})
et.emit("default")
named.emit("named")
"""


@pytest.mark.native
@pytest.mark.slow
@pytest.mark.parametrize("end", ["", "sys.exit(0)", "raise SystemExit"])
def test_at_the_end_of_the_process_every_tracker_is_shut_down(end):
    done = subprocess.run(
        [sys.executable, "-c", AT_EXIT + end],
        capture_output=True, check=True, text=True, timeout=60,
    )  # fmt: skip

    assert sorted(done.stdout.splitlines()) == ["default within True", "named within True"]
    assert done.stderr == ""


ONCE_AT_EXIT = """
import atexit

asked = []
atexit.register(lambda: print(len(asked)))  # after ours
import eventtracking_core as et
from eventtracking_core.lifecycle.holders import join_holder

class Hanging:
    stage, shutdown_timeout = 0, 1
    def forked(self): ...
    def close(self): ...
    def shutdown(self, timeout):
        asked.append(timeout)
        return False

hanging = Hanging()
join_holder(hanging)
et.get_tracker()
"""


@pytest.mark.native
@pytest.mark.once
def test_what_hangs_at_the_end_of_the_process_is_waited_for_once():
    done = subprocess.run(
        [sys.executable, "-c", ONCE_AT_EXIT],
        capture_output=True, check=True, text=True, timeout=60,
    )  # fmt: skip

    assert (done.stdout, done.stderr) == ("1\n", "")


OVERDUE = """
import os, signal, sys, threading, time
import eventtracking_core as et

class Hanging:
    def send_batch(self, events, *, timeout):
        while True:
            print(time.monotonic(), flush=True)
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(0.1)

if "sys.exit" in sys.argv:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    et.drain_on_sigterm()
queue = {"delivery": "queue", "backends": {"a": Hanging()}}
et.configure({"shutdown_timeout": 4, "backends": {"router": queue}})
et.emit("a")
et.get_tracker().flush(60)
"""


@pytest.mark.slow
@pytest.mark.native
@pytest.mark.once
@pytest.mark.parametrize(("handler", "status"), [("default", -signal.SIGTERM), ("sys.exit", 0)])
def test_signals_and_exit_handlers_wait_once_for_a_backend_that_hangs(handler, status):
    done = subprocess.run(
        [sys.executable, "-c", OVERDUE, handler],
        capture_output=True, check=False, text=True, timeout=60,
    )  # fmt: skip

    began, *_, ended = map(float, done.stdout.split())
    assert done.returncode == status
    assert 3 < ended - began < 7


CONFIGURED_AT_EXIT = """
import os, signal, sys
import eventtracking_core as et

class Sink:
    def __init__(self, path):
        self.path = path
    def send(self, event):
        with open(self.path, "a") as file:
            file.write(event["name"] + "\\n")

def configure(name):
    sink = {"type": "__main__:Sink", "path": f"{name}.ndjson", "delivery": "queue"}
    et.configure({"backends": {"sink": sink}})
    et.emit(name)

class Reloading:
    def send(self, event): ...
    def shutdown(self, timeout):
        os.kill(os.getpid(), signal.SIGHUP)

signal.signal(signal.SIGHUP, lambda *_: configure("second"))
reloading = et.Tracker({"a": Reloading()})
configure("first")
if "SIGTERM" in sys.argv:
    os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.native
@pytest.mark.once
@pytest.mark.parametrize(("end", "status"), [("exit", 0), ("SIGTERM", -signal.SIGTERM)])
def test_what_a_handler_configures_while_the_process_ends_delivers_its_events(
    end, status, tmp_path
):
    done = subprocess.run(
        [sys.executable, "-c", CONFIGURED_AT_EXIT, end],
        capture_output=True, check=False, text=True, timeout=60, cwd=tmp_path,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (status, "")
    for name in ("first", "second"):
        assert (tmp_path / f"{name}.ndjson").read_text().count("\n") == 1


ON_SIGTERM = """
import os, signal, sys
import eventtracking_core as et

class Buffering:
    def __init__(self):
        self.waiting = []
    def send(self, event):
        self.waiting.append(event["name"])
    def shutdown(self, timeout):
        print(*self.waiting, flush=True)
        self.waiting.clear()

def previous(number, frame):
    print("previous", flush=True)
    os._exit(7)

if "chain" in sys.argv:
    signal.signal(signal.SIGTERM, previous)
et.configure({"backends": {"a": Buffering()}})
et.drain_on_sigterm()
et.emit("waiting")
os.kill(os.getpid(), signal.SIGTERM)
print("still here")
"""


@pytest.mark.native
@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "status", "printed"),
    [([], -signal.SIGTERM, ["waiting"]), (["chain"], 7, ["waiting", "previous"])],
)
def test_on_sigterm_what_waits_is_delivered_then_done_what_would_have_been(
    arguments, status, printed
):
    done = subprocess.run(
        [sys.executable, "-c", ON_SIGTERM, *arguments],
        capture_output=True, check=False, text=True, timeout=60,
    )  # fmt: skip

    assert (done.returncode, done.stdout.splitlines()) == (status, printed)


@pytest.mark.native
def test_sigterm_is_taken_over_in_the_main_thread_only():
    caught = []

    def take_over():
        with pytest.raises(ValueError, match="main thread"):
            et.drain_on_sigterm()
        caught.append(True)

    thread = threading.Thread(target=take_over)
    thread.start()
    thread.join()

    assert caught == [True]


def test_signals_that_are_handled_in_c_stay_as_they_are():
    code = """
import faulthandler, os, signal, time
import eventtracking_core as et
faulthandler.register(signal.SIGQUIT, all_threads=False)
et.configure({"backends": {"a": {"type": "null", "delivery": "queue"}}})
et.emit("a")
os.kill(os.getpid(), signal.SIGQUIT)
print("goes on", signal.getsignal(signal.SIGQUIT) == signal.SIG_DFL)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, text=True, timeout=60
    )

    assert (done.returncode, done.stdout) == (0, "goes on True\n")
    assert "most recent call first" in done.stderr
