"""A real Learning Record Store to test against: Ralph, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from started_server import StartedServer

__all__ = ["RalphLrs"]

PACKAGES = ("ralph-malph[backend-mongo,cli,lrs]==5.1.0", "requests")
USER = "lrs"
PASSWORD = "secret"
# bcrypt of the password, as `ralph auth` writes it
HASH = "$2b$04$kEXj6oeP.aoxt7OHTpsPyechnb3TfKE5OwA1imxcawxye9X21nyXu"


class RalphLrs(StartedServer):
    """A server that can be killed, and started again with the same statements on the same port.

    Args:
        directory: where its environment and its files are; an empty one.
        mongo_uri: of the database that holds the statements.
    """

    def __init__(self, directory: Path, mongo_uri: str) -> None:
        super().__init__(directory)
        self._mongo_uri = mongo_uri
        account = {
            "agent": {"mbox": "mailto:tracker@example.org"},
            "scopes": ["all"],
            "hash": HASH,
            "username": USER,
        }
        (directory / "auth.json").write_text(json.dumps([account]), encoding="utf-8")
        self._install()

    @property
    def url(self) -> str:
        """The address of its xAPI endpoint."""
        return f"http://127.0.0.1:{self.port}/xAPI"

    def _install(self) -> None:
        python = self._directory / "venv" / "bin" / "python"
        environ = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
        for command in (
            ["uv", "venv", "--quiet", "--python", sys.executable, str(python.parents[1])],
            ["uv", "pip", "install", "--quiet", "--python", str(python), *PACKAGES],
        ):
            subprocess.run(command, check=True, env=environ, timeout=300)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._run(
            [
                *(self._directory / "venv" / "bin" / "ralph", "runserver", "-b", "mongo"),
                *("--mongo-connection-uri", self._mongo_uri),
                *("--mongo-default-database", f"lrs_{self.port}"),
                *("--mongo-default-collection", "statements"),
                *("-h", "127.0.0.1", "-p", str(self.port)),
            ],
            cwd=self._directory,
            environ={"RALPH_AUTH_FILE": "auth.json"},
        )
        self._wait()

    def statements(self) -> list[dict[str, Any]]:
        """Return the stored statements."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request("GET", "/xAPI/statements?limit=0", headers=self.headers)
            found: list[dict[str, Any]] = json.loads(connection.getresponse().read())["statements"]
        return found

    @property
    def headers(self) -> dict[str, str]:
        """What a request needs."""
        pair = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return {"Authorization": f"Basic {pair}", "X-Experience-API-Version": "1.0.3"}

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/__heartbeat__")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
