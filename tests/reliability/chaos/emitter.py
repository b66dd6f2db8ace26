"""A process of the chaos run: it emits without a pause, and does what its standard input says.

Each line of its input is one command. The id of an event is written into the acknowledgement log
when `emit` has returned, and the ledger of the process into a file when it ends in order.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path

import eventtracking_core as et

DIRECTORY = Path(sys.argv[1])
SPOOLS = Path(sys.argv[2])


def configuration(version):
    """Return one of two configurations, which differ in what may differ at run time."""
    delivery = {
        "mode": "spool",
        "directory": str(SPOOLS),
        "schedule_delay": 0.01 + version / 100,
        "max_batch_size": 200 + version,
        "initial_interval": 0.02,
        "max_interval": 0.2,
    }
    store = {"type": "sqlite", "path": str(DIRECTORY / "events.db"), "busy_timeout": 1}
    return {"shutdown_timeout": 20, "backends": {"store": {**store, "delivery": delivery}}}


class Emitter:
    def __init__(self):
        self.is_running = True
        self.version = 0
        self.tracker = et.Tracker()
        self.tracker.configure(configuration(0))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self.log = os.open(DIRECTORY / "acknowledged", flags, 0o600)

    def emit(self, count):
        for number in range(count):
            event_id = self.tracker.emit("chaos", {"process": os.getpid(), "number": number})
            os.write(self.log, f"\n{event_id}\n".encode())

    def listen(self):
        for line in sys.stdin:
            getattr(self, "on_" + line.strip())()
        self.is_running = False

    def on_reconfigure(self):
        self.version = 1 - self.version
        self.tracker.configure(configuration(self.version))

    def on_fork(self):
        child = os.fork()
        if child == 0:
            self.emit(50)
            self.end()
            os._exit(0)
        os.waitpid(child, 0)

    def on_exhaust(self):
        """Leave no descriptor for a while."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())), hard)
        )
        threading.Timer(0.3, resource.setrlimit, (resource.RLIMIT_NOFILE, (hard, hard))).start()

    def end(self):
        is_done = self.tracker.shutdown()
        leaf = self.tracker.stats()["tree"]["backends"][0]
        ledger = {key: leaf[key] for key in ("accepted", "delivered", "dead_lettered", "pending")}
        ledger |= {"recovered": leaf["recovered"], "dropped": leaf["dropped"], "done": is_done}
        path = DIRECTORY / "ledgers" / f"{os.getpid()}.json"
        path.write_text(json.dumps(ledger))


def main():
    emitter = Emitter()
    signal.signal(signal.SIGTERM, lambda *_: setattr(emitter, "is_running", False))
    threading.Thread(target=emitter.listen, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while emitter.is_running:
        emitter.emit(10)
        threading.Event().wait(0.01)  # a thousand events a second are enough
    emitter.end()


def drain():
    """Deliver what all processes left."""
    tracker = et.Tracker()
    tracker.configure(configuration(0))
    is_done = tracker.flush(100)
    tracker.shutdown(20)
    sys.exit(not is_done)


if __name__ == "__main__":
    drain() if len(sys.argv) > 3 else main()
