"""Chaos: kills, stops, full disks, descriptor storms, reconfigurations and forks, at random.

    python tests/reliability/chaos/run.py --seconds 600 --seed 7

Several processes spool events to one SQLite database meanwhile. At the end every event whose `emit`
returned is in the database or among the dead letters, and the ledger of each process that ended in
order adds up. Exit code 0, and a line of figures, if that is so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic

EMITTER = Path(__file__).with_name("emitter.py")
EMITTERS = 3
DISK = 24 * 1024 * 1024
"""Bytes of the disk that the spools share; it is filled now and then."""

ID_LENGTH = 36
CALM = 2.0
"""Seconds without kills after a fault that lets events wait in memory."""


class Chaos:
    """The processes, and what is done to them.

    Args:
        directory: an empty directory.
        seed: decides what happens, and when.
    """

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.spools = directory / "spools"
        self.spools.mkdir(mode=0o700)
        (directory / "ledgers").mkdir()
        self.has_disk = self._mount()
        # Each process and its children hold the pipe's second end: the first has ended with them.
        self._all_ended, self._held = os.pipe()
        self.processes = [self._start() for _ in range(EMITTERS)]

    def _mount(self) -> bool:
        options = f"size={DISK},mode=700"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.spools)]
        return os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        if self.has_disk:
            subprocess.run(["umount", "--lazy", str(self.spools)], check=True)

    def _start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(EMITTER), str(self.directory), str(self.spools), *words]
        pipe = subprocess.PIPE
        held = () if words else (self._held,)
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, pass_fds=held)
        if not words:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", "a process did not begin"
        return process

    def run(self, seconds: float) -> None:
        """Let things happen for a while, then end everything in order."""
        wait = Event().wait
        end = monotonic() + seconds
        actions = [self.kill, self.stop, self.terminate, self.reconfigure, self.fork] * 3
        actions += [self.exhaust, self.fill] if self.has_disk else [self.exhaust]
        while monotonic() < end:
            wait(self.random.uniform(0.05, 0.5))
            action = self.random.choice(actions)
            self.counts[action.__name__] += 1
            action()
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes:
            assert process.wait(120) == 0, "a process did not end in order"
        os.close(self._held)
        assert select.select([self._all_ended], [], [], 120)[0], "a child did not end"
        assert self._start("drain").wait(120) == 0, "what was left could not be delivered"

    def kill(self) -> None:
        """Kill a process, and start another."""
        index = self.random.randrange(EMITTERS)
        self.processes[index].kill()
        self.processes[index].wait()
        self.processes[index] = self._start()

    def terminate(self) -> None:
        """End a process in order, and start another."""
        index = self.random.randrange(EMITTERS)
        self.processes[index].terminate()
        assert self.processes[index].wait(120) == 0, "a process did not end in order"
        self.processes[index] = self._start()

    def stop(self) -> None:
        """Stop a process for a moment."""
        process = self.random.choice(self.processes)
        process.send_signal(signal.SIGSTOP)
        Event().wait(self.random.uniform(0.05, 0.4))
        process.send_signal(signal.SIGCONT)

    def reconfigure(self) -> None:
        """Configure the tracker of a process again, under load."""
        self._tell("reconfigure")

    def fork(self) -> None:
        """Let a process fork a child that emits too."""
        self._tell("fork")

    def exhaust(self) -> None:
        """Take all descriptors from a process for a moment."""
        self._tell("exhaust")
        Event().wait(CALM)

    def fill(self) -> None:
        """Fill the disk of the spools for a moment."""
        ballast = self.spools / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1024 * 1024))
        Event().wait(0.5)
        ballast.unlink()
        Event().wait(CALM)

    def _tell(self, word: str) -> None:
        process = self.random.choice(self.processes)
        with suppress(BrokenPipeError):
            process.stdin.write(word + "\n")
            process.stdin.flush()

    def verdict(self) -> tuple[bool, str]:
        """Return whether nothing was lost, and the figures."""
        words = (self.directory / "acknowledged").read_text().split()
        acknowledged = {word for word in words if len(word) == ID_LENGTH}
        with closing(sqlite3.connect(self.directory / "events.db")) as database:
            stored = {row[0] for row in database.execute("SELECT id FROM events")}
        texts = [path.read_text() for path in (self.directory / "ledgers").glob("*.json")]
        ledgers = [json.loads(text) for text in texts]
        dropped = Counter[str]()
        for ledger in ledgers:
            dropped.update(ledger["dropped"])
        wrong = [ledger for ledger in ledgers if not _adds_up(ledger)]
        lost = acknowledged - stored
        # An event that was dropped is counted under a reason by the process that dropped it.
        is_good = len(lost) <= dropped.total() and not wrong
        figures = (
            f"{dict(self.counts)}: {len(acknowledged)} acknowledged, {len(stored)} stored,"
            f" {len(lost)} lost, dropped {dict(dropped)};"
            f" {len(ledgers)} ledgers, {len(wrong)} wrong"
        )
        return is_good, figures


def _adds_up(ledger: dict[str, object]) -> bool:
    parts = (ledger["delivered"], ledger["dead_lettered"], ledger["pending"])
    dropped = ledger["dropped"]
    assert isinstance(dropped, dict)
    return ledger["accepted"] == sum(parts) + sum(dropped.values())  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    sys.stdout.write(f"seed {options.seed}, {options.seconds:g} s\n")
    sys.stdout.flush()
    with TemporaryDirectory(prefix="eventtracking-chaos-") as name:
        chaos = Chaos(Path(name), options.seed)
        try:
            chaos.run(options.seconds)
            is_good, figures = chaos.verdict()
        finally:
            chaos.close()
    sys.stdout.write(figures + "\n")
    sys.exit(not is_good)


if __name__ == "__main__":
    main()
