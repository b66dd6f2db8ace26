"""A real S3 over HTTP to test against: moto's server, on a free port of this machine.

It keeps its objects in memory, so it is never restarted: `fault_proxy` cuts it off instead.
"""

from __future__ import annotations

import subprocess
import sys
from http.client import HTTPConnection
from importlib.util import find_spec
from time import monotonic, sleep

from free_ports import free_port
from waiting import DEADLINE

__all__ = ["S3Error", "S3Server"]


class S3Error(Exception):
    """There is no server to test against; the message says what is missing."""


class S3Server:
    """A server without buckets, which takes any credentials."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def start(self) -> None:
        """Start the server, and wait until it answers.

        Raises:
            S3Error: it does not start; the message says why.
        """
        if find_spec("moto") is None:
            raise S3Error("moto[s3] is not installed")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = monotonic() + DEADLINE
        while not self._answers():
            if self._process.poll() is not None or monotonic() > deadline:
                raise S3Error("moto's server does not start")
            sleep(0.05)

    def make_bucket(self, name: str) -> None:
        """Make a bucket."""
        assert self._request("PUT", f"/{name}") == 200

    def options(self, port: int | None = None) -> dict[str, str]:
        """Return the options with which a client reaches the server.

        Args:
            port: of a proxy before it.
        """
        return {
            "endpoint": f"http://127.0.0.1:{port or self.port}",
            "region": "us-east-1",
            "access_key_id": "AN-ACCESS-KEY",
            "secret_access_key": "a-secret-key",
        }

    def end(self) -> None:
        """End it, and forget its objects."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(DEADLINE)

    def _answers(self) -> bool:
        try:
            return self._request("GET", "/") == 200
        except OSError:
            return False

    def _request(self, method: str, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path)
            return connection.getresponse().status
        finally:
            connection.close()
