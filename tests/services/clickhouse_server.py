"""ClickHouse's engine behind a small server of its HTTP interface, on a free port of this machine.

The engine is real (chdb, with its data on disk). The server stands in for ClickHouse's own: it
knows what clickhouse-connect asks for, runs one statement at a time, and has one user. Run as a
program, it serves a directory on a port.
"""

from __future__ import annotations

import json
import re
import socket
import sys
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from started_server import ServerError, StartedServer

__all__ = ["ClickHouse"]

USER, PASSWORD = "default", "a-password"

_INSERT = re.compile(rb"INSERT INTO ([^ ]+) \(([^)]*)\) FORMAT (\w+)\n")
_CODE = re.compile(r"Code: (\d+)")
# Each new client asks for all settings, which takes longer than most tests: it gets those it uses.
_ALL_SETTINGS = "FROM system.settings"
_SOME = " OR ".join(f"name LIKE '%{part}%'" for part in ("final", "http", "insert", "json"))
_TRANSPORT = frozenset(
    {
        *("query", "database", "session_id", "query_id", "compress", "default_format"),
        *("enable_http_compression", "wait_end_of_query", "client_protocol_version"),
        *("send_progress_in_http_headers", "http_headers_progress_interval_ms"),
    }
)


class ClickHouse(StartedServer):
    """A server that keeps its tables in a directory.

    Args:
        directory: where its data are.
    """

    user = USER
    password = PASSWORD

    @property
    def uri(self) -> str:
        """The address for backends."""
        return f"clickhouse://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        if find_spec("chdb") is None:
            raise ServerError("chdb-core is not installed")
        self._run([sys.executable, __file__, str(self._directory), str(self.port)])
        self._wait()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


class _Engine:
    """Runs one statement at a time."""

    def __init__(self, directory: Path) -> None:
        from chdb.session import Session

        self._rows = directory / "rows"
        self._session: Any = Session(str(directory / "data"))
        self._thread = ThreadPoolExecutor(1)
        self._database = "default"
        self._settings = b""
        self._query("SYSTEM STOP MERGES")  # they would take the time of tests
        # The first insert loads most of the engine, which can take seconds.
        self._query("CREATE TEMPORARY TABLE first (id String) ENGINE = MergeTree ORDER BY id")
        self._query("INSERT INTO first VALUES ('1')")
        self._query("DROP TABLE first")
        self._types: dict[tuple[str, str], dict[str, str]] = {}

    def run(self, statement: bytes, database: str, settings: dict[str, str]) -> bytes:
        """Return the answer to a statement, after those that came before."""
        return self._thread.submit(self._run, statement, database, settings).result()

    def _run(self, statement: bytes, database: str, settings: dict[str, str]) -> bytes:
        clause = ", ".join(f"{name} = '{value}'" for name, value in settings.items())
        clause = f" SETTINGS {clause}" if clause else ""
        if database != self._database:
            self._query(f"USE `{database}`")
            self._database = database
        inserted = _INSERT.match(statement)
        if inserted is not None:
            parts = (part.decode() for part in inserted.groups())
            return self._insert(*parts, clause, statement[inserted.end() :])
        text = statement.decode()
        if _ALL_SETTINGS in text:
            self._settings = self._settings or self._query(
                text.replace(_ALL_SETTINGS, f"{_ALL_SETTINGS} WHERE {_SOME}")
            )
            return self._settings
        if not text.startswith("SELECT"):
            self._types.clear()  # it may define a table
            return self._query(text)
        query, separator, output = text.rpartition("FORMAT ")
        return self._query(f"{query or output}{clause} {separator}{output if query else ''}")

    def _insert(
        self, table: str, columns: str, rows_format: str, settings: str, rows: bytes
    ) -> bytes:
        """Insert rows of a binary format, which chdb takes only from a file."""
        types = self._types.get((self._database, table))
        if types is None:
            described = self._query(f"DESCRIBE TABLE {table} FORMAT JSONCompact")
            types = {name: kind for name, kind, *_ in json.loads(described)["data"]}
            self._types[self._database, table] = types
        names = [name.strip(" `") for name in columns.split(",")]
        structure = ", ".join(f"{name} {types[name]}" for name in names).replace("'", "\\'")
        self._rows.write_bytes(rows)
        source = f"file('{self._rows}', '{rows_format}', '{structure}')"
        return self._query(f"INSERT INTO {table} ({columns}){settings} SELECT * FROM {source}")

    def _query(self, statement: str) -> bytes:
        answer: bytes = self._session.query(statement, "TabSeparated").bytes()
        return answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer is one packet
    engine: _Engine

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = b"".join(self._body())
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        token = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {token}":
            self._answer(403, b"Code: 516. DB::Exception: Authentication failed", "516")
            return
        if "query" in given:
            body = given["query"].encode() + (b"\n" + body if body else b"")
        settings = {name: value for name, value in given.items() if name not in _TRANSPORT}
        try:
            self._answer(200, self.engine.run(body, given.get("database", "default"), settings))
        except Exception as error:  # noqa: BLE001  the engine's error is the answer
            code = _CODE.search(str(error))
            self._answer(500, str(error).encode(), code[1] if code else "1002")

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: bytes, code: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that leave before their answer are what some tests are about."""


def _serve(directory: Path, port: int) -> None:
    _Handler.engine = _Engine(directory)
    with _Server(("127.0.0.1", port), _Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
