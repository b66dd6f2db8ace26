"""A real MariaDB server to test against, on a free port of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from time import monotonic, sleep

from free_ports import free_port
from waiting import DEADLINE

__all__ = ["MariaDB", "MariaDBError"]

PROGRAM = Path("/usr/sbin/mariadbd")


class MariaDBError(Exception):
    """There is no server to test against; the message says what is missing."""


class MariaDB:
    """A server without users and rights, and with no database but those that tests create."""

    def __init__(self) -> None:
        # pytest's directories are of this user alone.
        self._directory = Path(tempfile.mkdtemp(prefix="eventtracking-mariadb-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._directory, self._user)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def start(self) -> None:
        """Start the server, and wait until it answers.

        Raises:
            MariaDBError: it does not start; the message says why.
        """
        if not PROGRAM.exists():
            raise MariaDBError("mariadb-server-core is not installed")
        log = self._directory / "log"
        setpriv = shutil.which("setpriv")  # with it, the server dies when the tests are killed
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    *([setpriv, "--pdeathsig", "KILL"] if setpriv else []),
                    *(PROGRAM, "--no-defaults", f"--datadir={self._directory}"),
                    *("--bind-address=127.0.0.1", f"--port={self.port}"),
                    *(f"--socket={self._directory / 'socket'}", "--skip-grant-tables"),
                    *("--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"),
                    *("--innodb-buffer-pool-size=16M", "--skip-innodb-doublewrite"),
                    *("--skip-sync-frm", "--innodb-file-per-table=0"),
                ],
                cwd="/",
                user=self._user,
                stdout=output,
                stderr=output,
            )
        deadline = monotonic() + DEADLINE
        while b"ready for connections" not in log.read_bytes():
            if self._process.poll() is not None or monotonic() > deadline:
                end = log.read_text(errors="replace")[-500:]
                raise MariaDBError(f"MariaDB does not start; its log ends with: {end}")
            sleep(0.05)

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

    def remove(self) -> None:
        """End it, and remove its data."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(DEADLINE)
        shutil.rmtree(self._directory, ignore_errors=True)
