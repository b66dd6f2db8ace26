"""A real MariaDB server to test against, on a free port of this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from started_server import ServerError, StartedServer

__all__ = ["MariaDB"]

PROGRAM = Path("/usr/sbin/mariadbd")


class MariaDB(StartedServer):
    """A server without users and rights, and with no database but those that tests create."""

    def __init__(self) -> None:
        # pytest's directories are of this user alone.
        super().__init__(Path(tempfile.mkdtemp(prefix="eventtracking-mariadb-")))
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._directory, self._user)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        if not PROGRAM.exists():
            raise ServerError("mariadb-server-core is not installed")
        self._run(
            [
                *(PROGRAM, "--no-defaults", f"--datadir={self._directory}"),
                *("--bind-address=127.0.0.1", f"--port={self.port}"),
                *(f"--socket={self._directory / 'socket'}", "--skip-grant-tables"),
                *("--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"),
                *("--innodb-buffer-pool-size=16M", "--skip-innodb-doublewrite"),
                *("--skip-sync-frm", "--innodb-file-per-table=0"),
            ],
            cwd="/",
            user=self._user,
        )
        self._wait()

    def settings(self, database: str) -> dict[str, object]:
        """Return the settings of Django for a database, which is made if it is missing."""
        import pymysql

        with pymysql.connect(host="127.0.0.1", port=self.port, user="root") as connection:
            connection.cursor().execute(
                f"CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4"
            )
        return {
            "ENGINE": "django.db.backends.mysql",
            "HOST": "127.0.0.1",
            "NAME": database,
            "OPTIONS": {"isolation_level": "read committed"},
            "PORT": self.port,
            "USER": "root",
        }

    def _answers(self) -> bool:
        return "ready for connections" in self._logged()
