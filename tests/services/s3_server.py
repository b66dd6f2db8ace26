"""A real S3 over HTTP to test against: moto's server, on a free port of this machine.

It keeps its objects in memory, so it is never restarted: `fault_proxy` cuts it off instead.
"""

from __future__ import annotations

import sys
from http.client import HTTPConnection
from importlib.util import find_spec

from started_server import ServerError, StartedServer

__all__ = ["S3Server"]


class S3Server(StartedServer):
    """A server without buckets, which takes any credentials."""

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        if find_spec("moto") is None:
            raise ServerError("moto[s3] is not installed")
        self._run([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)])
        self._wait()

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
