"""Ports for servers that cannot be given an open socket."""

from __future__ import annotations

import os
import random
import socket
import tempfile
from pathlib import Path

__all__ = ["free_port"]

# Below the ports that Linux gives to outgoing connections, so that none of them is in the way.
_PORTS = range(20_000, 32_000)
_locks: list[int] = []


def free_port() -> int:
    """Return a port of the loopback interface that no one uses, reserved for this process.

    Between this call and the server's start, another process could take a port that is only free.
    A lock on a file that is named after the port keeps other tests from it until this process ends.

    Raises:
        OSError: there is none.
    """
    import fcntl  # this module is also imported where there are no servers, as in WebAssembly

    directory = Path(tempfile.gettempdir(), f"eventtracking-test-ports-{os.getuid()}")
    directory.mkdir(mode=0o700, exist_ok=True)
    for port in random.SystemRandom().sample(_PORTS, 500):
        lock = os.open(directory / str(port), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(lock)
            continue
        _locks.append(lock)
        return port
    raise OSError("no free port")
