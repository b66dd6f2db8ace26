"""A real collector, Rotel: it takes OTLP over HTTP and passes it on to another receiver."""

from __future__ import annotations

import gzip
import os
import subprocess
import sysconfig
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from urllib.request import Request, urlopen

from free_ports import free_port
from otlp_tap import ReceiverError, leash, wait_until_open

__all__ = ["RotelCollector"]


class RotelCollector:
    """A collector between an application and a receiver.

    Args:
        directory: where it keeps its log.
        target: the address of the receiver.

    Attributes:
        endpoint: the address to send to, without the path.

    Raises:
        ReceiverError: it is not installed, or does not start.
    """

    def __init__(self, directory: Path, target: str) -> None:
        spec = find_spec("rotel")
        if spec is None or spec.origin is None:
            raise ReceiverError("no rotel: the package is not installed")
        self._inflating = _Inflating(target)
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        command = [
            *leash(),
            str(Path(spec.origin).with_name("rotel-agent")),
            "start",
            *("--otlp-http-endpoint", f"127.0.0.1:{port}"),
            *("--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}"),
            *("--pid-file", str(directory / "rotel.pid")),
            *("--batch-timeout", "20ms"),
            *("--exporter", "otlp"),
            *("--otlp-exporter-protocol", "http"),
            *("--otlp-exporter-endpoint", self._inflating.address),
        ]
        with (directory / "rotel.log").open("wb") as log:
            # It is linked to the interpreter it was built for, whose library may be beside it only.
            library = {"LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR") or ""}
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **library}
            )
        wait_until_open(port, self._process)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._inflating.shutdown()
        self._inflating.server_close()


class _Inflating(ThreadingHTTPServer):
    """Stands between: the collector always compresses, and the receiver inflates nothing."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        self.target = target
        super().__init__(("127.0.0.1", 0), _PassOn)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()


class _PassOn(BaseHTTPRequestHandler):
    server: _Inflating

    def do_POST(self) -> None:
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {"Content-Type": self.headers["Content-Type"]}
        with urlopen(Request(self.server.target + self.path, body, headers)) as answer:
            self.send_response(answer.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""
