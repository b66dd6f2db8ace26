"""The services of the tests: a real MongoDB server, Segment's endpoint, a network that fails."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

SERVICES = Path(__file__).parent.parent / "tests" / "services"
sys.path.insert(0, str(SERVICES))  # they are no package, and pytest finds them by this path too

from fault_proxy import FaultProxy  # noqa: E402
from mongod import Mongod, MongodError  # noqa: E402

__all__ = ["SEGMENT_KEY", "FaultProxy", "Mongod", "MongodError", "mongod", "segment"]

SEGMENT_KEY = "a-write-key"


def mongod(directory: Path, stack: ExitStack) -> Mongod:
    """Start a server with its data in a directory of its own; the stack ends it.

    Raises:
        MongodError: it does not start; the message says why.
    """
    home = directory / "mongod"
    home.mkdir()
    server = Mongod(home)
    stack.callback(server.remove)
    server.start()
    return server


def segment(stack: ExitStack) -> str:
    """Serve Segment's endpoint in a process of its own; return its address. The stack ends it."""
    process = subprocess.Popen(
        [sys.executable, str(SERVICES / "segment_stub.py"), SEGMENT_KEY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.callback(process.communicate)
    assert process.stdout is not None, "it is a pipe"
    return process.stdout.readline().strip()
