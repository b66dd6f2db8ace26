"""A server in a process of its own, and what it wrote to its log."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

from free_ports import free_port
from waiting import DEADLINE

__all__ = ["ServerError", "StartedServer", "lend"]

S = TypeVar("S", bound="StartedServer")


class ServerError(Exception):
    """There is no server to test against; the message says what is missing."""


class StartedServer(ABC):
    """A server that can be killed, and started again with the same data on the same port.

    It ends when the tests are killed, where util-linux is there.

    Args:
        directory: where it keeps its data and its log; an empty one.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._log = directory / "log"
        self._logged_before = 0
        self._processes: list[subprocess.Popen[bytes]] = []
        self.port = free_port()

    @abstractmethod
    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            ServerError: it is not installed, or does not start; the message says why.
        """

    @abstractmethod
    def _answers(self) -> bool:
        """Return whether it answers."""

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        return self._processes[-1].pid

    def kill(self) -> None:
        """Kill it as `kill -9` does. What it has on its disk stays."""
        while self._processes:
            process = self._processes.pop()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def remove(self) -> None:
        """Kill it, and remove its data."""
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | str | None = None,
        environ: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        """Run a program that writes to the log; it ends with the server."""
        setpriv = shutil.which("setpriv")
        leash = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        with self._log.open("ab") as log:
            self._logged_before = log.tell()
            process = subprocess.Popen(
                [*leash, *command],
                cwd=cwd,
                env={**os.environ, **(environ or {})},
                user=user,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)

    def _wait(self) -> None:
        """Wait until the program that was run last answers.

        Raises:
            ServerError: it ended, or does not answer; the message has the end of its log.
        """
        name, process = type(self).__name__, self._processes[-1]
        deadline = monotonic() + DEADLINE
        while not self._answers():
            ended, is_late = process.poll() is not None, monotonic() > deadline
            if ended or is_late:
                self.kill()
                what = "ended at once" if ended else f"does not answer after {DEADLINE:g} s"
                raise ServerError(f"{name} {what}; its log ends with: {self._logged()[-2000:]}")
            sleep(0.02)

    def _logged(self) -> str:
        """Return what the program that was run last wrote to the log."""
        with self._log.open("rb") as log:
            log.seek(self._logged_before)
            return log.read().decode(errors="replace")


def lend(server: S) -> Iterator[S]:
    """Start a server for a fixture, and remove it at the end; skip where it cannot be started."""
    import pytest  # benchmarks start servers too

    try:
        server.start()
    except ServerError as error:
        server.remove()
        pytest.skip(str(error))
    yield server
    server.remove()
