"""The services of the tests: real servers, Segment's endpoint, a failing network."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

SERVICES = Path(__file__).parent.parent / "tests" / "services"
sys.path.insert(0, str(SERVICES))  # they are no package, and pytest finds them by this path too

from clickhouse_server import ClickHouse  # noqa: E402
from fault_proxy import FaultProxy  # noqa: E402
from kafka_broker import Kafka  # noqa: E402
from mongod import Mongod  # noqa: E402
from postgres_server import Postgres  # noqa: E402
from started_server import ServerError  # noqa: E402
from valkey_server import Valkey  # noqa: E402

__all__ = [
    "SEGMENT_KEY",
    "ClickHouse",
    "FaultProxy",
    "Mongod",
    "ServerError",
    "Valkey",
    "clickhouse",
    "kafka",
    "mongod",
    "postgres",
    "segment",
    "valkey",
]

SEGMENT_KEY = "a-write-key"


def clickhouse(directory: Path, stack: ExitStack) -> ClickHouse:
    """Start the engine behind the tests' server; the stack ends it.

    Raises:
        ServerError: it does not start; the message says why.
    """
    home = directory / "clickhouse"
    home.mkdir()
    server = ClickHouse(home)
    stack.callback(server.kill)
    server.start()
    return server


def kafka(directory: Path, stack: ExitStack) -> str:
    """Start a broker; return its address. The stack ends it.

    Raises:
        ServerError: it does not start; the message says why.
    """
    broker = Kafka(directory)
    stack.callback(broker.kill)
    broker.start()
    return broker.servers


def mongod(directory: Path, stack: ExitStack) -> Mongod:
    """Start a server with its data in a directory of its own; the stack ends it.

    Raises:
        ServerError: it does not start; the message says why.
    """
    home = directory / "mongod"
    home.mkdir()
    server = Mongod(home)
    stack.callback(server.remove)
    server.start()
    return server


def postgres(stack: ExitStack) -> str:
    """Start a server with a new cluster; return its connection string. The stack ends it.

    Raises:
        ServerError: it does not start; the message says why.
    """
    server = Postgres()
    stack.callback(server.remove)
    server.start()
    return server.uri


def valkey(directory: Path, stack: ExitStack, *, keeps: bool = False) -> Valkey:
    """Start a server with its data in a directory of its own; the stack ends it.

    Args:
        directory: where that directory is made.
        stack: ends the server.
        keeps: whether it forgets nothing when it is killed.

    Raises:
        ServerError: it does not start; the message says why.
    """
    home = directory / "valkey"
    home.mkdir()
    server = Valkey(home, keeps=keeps)
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
