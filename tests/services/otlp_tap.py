"""A real receiver of OTLP over HTTP, OtelTap, whose records can be looked at."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from time import monotonic
from typing import Any, Self

from free_ports import free_port
from waiting import DEADLINE

__all__ = [
    "OtlpTap",
    "ReceiverError",
    "leash",
    "plain_attributes",
    "wait_until_open",
]


class ReceiverError(Exception):
    """There is no receiver to test against; the message says what is missing."""


class OtlpTap:
    """Takes logs, metrics and spans, and keeps them.

    Attributes:
        endpoint: the address to send to, without the path.

    Raises:
        ReceiverError: it is not installed, or does not start.
    """

    def __init__(self) -> None:
        if find_spec("oteltap") is None:
            raise ReceiverError("no oteltap: the package is not installed")
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        self._received: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [*leash(), sys.executable, "-m", "oteltap", "--port", str(port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, name="otlp-tap", daemon=True)
        self._reader.start()
        wait_until_open(port, self._process)

    @property
    def logs(self) -> list[dict[str, Any]]:
        """The log records that arrived, their attributes as plain values."""
        return [each for each in self._all() if "severityNumber" in each]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The metrics that arrived."""
        return [each for each in self._all() if {"sum", "gauge", "histogram"} & each.keys()]

    @property
    def spans(self) -> list[dict[str, Any]]:
        """The spans that arrived."""
        return [each for each in self._all() if "startTimeUnixNano" in each]

    def wait_for(self, condition: Callable[[Self], bool], timeout: float = DEADLINE) -> bool:
        """Wait for a condition, checked after each record; return whether it holds."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), timeout)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._reader.join()
        self._process.__exit__(None, None, None)

    def _all(self) -> list[dict[str, Any]]:
        return list(self._received)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            with suppress(ValueError):  # it says more than records
                record = json.loads(line)
                record["attributes"] = plain_attributes(record.get("attributes", ()))
                with self._changed:
                    self._received.append(record)
                    self._changed.notify_all()


def leash() -> list[str]:
    """Return what makes a server die with the tests, where util-linux is there."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def wait_until_open(port: int, process: subprocess.Popen[Any]) -> None:
    """Wait until a server takes connections.

    Raises:
        ReceiverError: it ends, or takes none in time.
    """
    deadline = monotonic() + DEADLINE
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        if process.poll() is not None or monotonic() > deadline:
            process.kill()
            raise ReceiverError(f"{process.args!r} takes no connections")


def plain_attributes(attributes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return attributes in OTLP's JSON as plain values by their keys."""
    return {each["key"]: _plain(each.get("value", {})) for each in attributes}


def _plain(value: Mapping[str, Any]) -> Any:
    """Return a value of OTLP's JSON as a plain one."""
    if not value:
        return None
    ((kind, content),) = value.items()
    if kind == "kvlistValue":
        return plain_attributes(content.get("values", ()))
    if kind == "arrayValue":
        return [_plain(each) for each in content.get("values", ())]
    return int(content) if kind == "intValue" else content
