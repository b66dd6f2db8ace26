"""P24: what a signal ends has delivered its events, and ends: a new child, a container's first."""

from __future__ import annotations

import signal

import pytest
from small_disks import may_mount

PROGRAM = """
    import os, select, signal, sys
    import eventtracking_core as et

    backend = {"type": "file", "path": "events.ndjson", "delivery": "queue"}
    if "by call" in sys.argv:
        backend["delivery"] = "inline"
        et.drain_on_sigterm()
    et.configure({"backends": {"sink": backend}})
    reader, _ = os.pipe()
    for _ in range(50):
        child = os.fork() if "fork" in sys.argv else os.forkpty()[0]
        while child == 0:
            select.select([reader], [], [], 1.0)
        os.kill(child, signal.SIGTERM)
        assert os.waitpid(child, 0)[1] & 0x7F == signal.SIGTERM
    et.emit("parent")
"""


@pytest.mark.parametrize("arguments", [["fork"], ["forkpty"], ["fork", "by call"]], ids=" ".join)
def test_a_child_that_is_told_to_end_at_once_ends(arguments, program, names):
    program(PROGRAM, *arguments)
    assert names() == {"parent": 1}


TWO_SIGNALS = """
    import os, signal, threading, time
    from pathlib import Path
    import eventtracking_core as et

    delivery = {"mode": "queue", "schedule_delay": 60}
    sink = {"type": "file", "path": "events.ndjson", "delivery": delivery}
    et.configure({"shutdown_timeout": 60, "backends": {"sink": sink}})

    def states(pid):  # of its threads
        files = Path(f"/proc/{pid}/task").glob("*/stat")
        return [file.read_text().rpartition(")")[2].split()[0] for file in files]

    for _ in range(20):
        ready, told = os.pipe()
        child = os.fork()
        if child == 0:
            et.emit("waiting")
            os.write(told, b".")
            forever = threading.Lock()
            with forever:
                forever.acquire()
        os.read(ready, 1)
        while states(child) != ["S", "S"]:
            time.sleep(0.001)
        os.kill(child, signal.SIGTERM)
        os.kill(child, signal.SIGHUP)
        assert os.waitpid(child, 0)[1] & 0x7F in (signal.SIGTERM, signal.SIGHUP)
"""


def test_two_signals_at_once_end_a_program_that_waits(program, names):
    """A supervisor sends SIGTERM and SIGHUP; our worker must not take them from the main thread."""
    program(TWO_SIGNALS)
    assert names() == {"waiting": 20}


WAITING_THREADS = """
    import signal, threading, time
    from pathlib import Path
    import eventtracking_core as et

    delivery = {"mode": "spool", "directory": "spool", "schedule_delay": 60, "fsync_interval": 60}
    sink = {"type": "file", "path": "events.ndjson", "delivery": delivery}
    et.configure({"shutdown_timeout": 60, "backends": {"sink": sink}})
    et.emit("waiting")
    ends = sum(1 << number - 1 for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))

    def blocked():
        tasks = Path("/proc/self/task").iterdir()
        others = [task for task in tasks if int(task.name) != threading.get_native_id()]
        lines = [(task / "status").read_text().splitlines() for task in others]
        return [int(each.split()[1], 16) & ends for line in lines for each in line
                if each.startswith("SigBlk")]

    while blocked() != [ends, ends]:
        time.sleep(0.001)
"""


def test_our_threads_receive_no_signal_while_they_wait(program, names):
    """One of them delivers, and one syncs the spool."""
    program(WAITING_THREADS)
    assert names() == {"waiting": 1}


STARTS_A_PROCESS = """
    import subprocess, sys
    import eventtracking_core as et
    from eventtracking_core import hookimpl, register_plugin

    class Program:
        def send(self, event):
            program = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
            program.terminate()
            print(program.wait())

    class Plugin:
        @hookimpl
        def eventtracking_backends(self):
            return {"program": Program}

    register_plugin(Plugin(), "program")
    et.configure({"backends": {"sink": {"type": "program", "delivery": {"mode": "queue"}}}})
    et.emit("started")
    assert et.get_tracker().flush(60)
"""


def test_a_process_that_a_backend_starts_receives_signals(program):
    """A worker that waits leaves signals to the main thread; its backend's processes do not."""
    assert program(STARTS_A_PROCESS) == f"{-signal.SIGTERM}\n"


FIRST_OF_A_CONTAINER = """
    import ctypes, os, signal, sys, time
    import eventtracking_core as et

    CLONE_NEWPID = 0x20000000
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWPID):
        sys.exit(os.strerror(ctypes.get_errno()))
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        assert os.getpid() == 1
        delivery = {"mode": "queue", "schedule_delay": 60}
        sink = {"type": "file", "path": "events.ndjson", "delivery": delivery}
        et.configure({"backends": {"sink": sink}})
        if "server" in sys.argv:
            signal.signal(signal.SIGTERM, lambda *_: None)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        et.emit("waiting")
        os.write(told, b".")
        if "server" in sys.argv:
            signal.raise_signal(signal.SIGTERM)
            sys.exit(7)
        while True:
            time.sleep(0.01)
    os.read(ready, 1)
    if "server" not in sys.argv:
        os.kill(child, signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not may_mount(), reason="may not make a namespace for processes")
@pytest.mark.parametrize(("kind", "code"), [("script", 143), ("server", 7)])
def test_the_first_process_of_a_container_delivers_and_ends(kind, code, program, names):
    """The system ignores a signal there whose default action is to end the process."""
    assert program(FIRST_OF_A_CONTAINER, kind) == f"{code}\n"
    assert names() == {"waiting": 1}


INTERRUPTED_RESET = """
    import os, sys
    import eventtracking_core as et
    from eventtracking_core.lifecycle.forks import on_fork

    sys.unraisablehook = lambda _: None  # Python ignores what at-fork hooks raise
    resets = []

    @on_fork
    def reset():
        resets.append(os.getpid())
        if len(resets) == 1:
            raise KeyboardInterrupt

    sink = {"type": "file", "path": "events.ndjson", "delivery": "queue"}
    et.configure({"backends": {"sink": sink}})
    et.emit("parent")
    child = os.fork()
    if child == 0:
        et.emit("child")
        sys.exit(len(resets) != 2)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_what_an_interrupt_stops_in_a_new_child_is_done_before_its_first_event(program, names):
    program(INTERRUPTED_RESET)
    assert names() == {"parent": 1, "child": 1}
