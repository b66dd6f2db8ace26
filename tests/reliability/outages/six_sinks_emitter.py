"""A process that emits into six sinks without a pause, until its standard input ends.

    six_sinks_emitter.py DIRECTORY

The directory has `config.json`. Ids are appended to `emitted`. A line of the input forks a child,
which emits too. When a process ends, it delivers all that it has, and writes its ledgers.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from pathlib import Path

import eventtracking_core as et

DIRECTORY = Path(sys.argv[1])
PAUSE = 0.02
BATCH = 10
OF_A_CHILD = 200
PATIENCE = 300.0


def emit(number):
    ids = [et.emit("numbered", {"n": n, "process": os.getpid()}) for n in range(number)]
    with (DIRECTORY / "emitted").open("a") as file:
        file.write("".join(f"{event_id}\n" for event_id in ids))


def end():
    tracker = et.get_tracker()
    is_done = tracker.flush(PATIENCE)
    is_done = tracker.shutdown(PATIENCE) and is_done
    ledgers = {leaf["name"]: leaf for leaf in tracker.stats()["tree"]["backends"]}
    path = DIRECTORY / f"{os.getpid()}.ledgers"
    path.write_text(json.dumps({"is_done": is_done, "ledgers": ledgers}, default=str))


def fork():
    child = os.fork()
    if not child:
        emit(OF_A_CHILD)
        end()
        os._exit(0)
    return child


def listen(lines):
    for line in sys.stdin:
        lines.put(line)
    lines.put("")


def main():
    et.configure(json.loads((DIRECTORY / "config.json").read_text()))
    lines = queue.Queue()
    threading.Thread(target=listen, args=[lines], daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    children = []
    while True:
        try:
            line = lines.get(timeout=PAUSE)
        except queue.Empty:
            emit(BATCH)
            continue
        if not line:
            break
        children.append(fork())
    failed = [child for child in children if os.waitpid(child, 0)[1]]
    end()
    sys.exit(bool(failed))


main()
