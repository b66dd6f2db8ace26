"""Six sinks on their real servers, a proxy before each, and the ids of what is stored in them."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import clickhouse_connect
import obstore
import psycopg
from clickhouse_server import ClickHouse
from fault_proxy import FaultProxy
from kafka_broker import Kafka, read_topic
from obstore.store import from_url
from postgres_server import Postgres
from redis import Redis
from s3_server import S3Server
from started_server import StartedServer
from valkey_server import Valkey

__all__ = ["Sinks"]

NAME: Final = "chaos"
"""Of the topic, the stream and the bucket."""


class Sinks:
    """PostgreSQL, ClickHouse, Valkey, Kafka, S3 and SQLite; all but the last behind a proxy.

    Args:
        directory: an empty directory.
        stack: ends the servers and the proxies.

    Attributes:
        servers: those that keep what they have when they are killed.
        proxies: by the name of the sink.
        database: the file of SQLite.
    """

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        def place(name: str) -> Path:
            made = directory / name
            made.mkdir()
            return made

        self.database = directory / "events.db"
        self._s3 = S3Server(place("s3"))
        self._postgres = Postgres()
        self._clickhouse = ClickHouse(place("clickhouse"))
        self._valkey = Valkey(place("valkey"))
        self._kafka = Kafka(place("kafka"))
        self.servers: dict[str, StartedServer] = {
            "postgres": self._postgres,
            "clickhouse": self._clickhouse,
            "redis": self._valkey,
        }
        self.proxies: dict[str, FaultProxy] = {}
        in_memory = {"kafka": self._kafka, "objects": self._s3}
        for name, server in {**self.servers, **in_memory}.items():
            self.proxies[name] = stack.enter_context(FaultProxy("127.0.0.1", server.port))
        self._kafka.advertised = self.proxies["kafka"].port
        for server in (*self.servers.values(), *in_memory.values()):
            stack.callback(server.remove)
            server.start()
        self._s3.make_bucket(NAME)

    def backends(self) -> dict[str, dict[str, Any]]:
        """Return the configuration of the backends."""
        ports = {name: proxy.port for name, proxy in self.proxies.items()}
        postgres = self._postgres.uri.replace(str(self._postgres.port), str(ports["postgres"]))
        clickhouse = self._clickhouse.uri.replace(
            str(self._clickhouse.port), str(ports["clickhouse"])
        )
        options = self._s3.options(ports["objects"])
        return {
            "postgres": {"type": "postgres", "uri": postgres, "partition": "month"},
            "clickhouse": {"type": "clickhouse", "uri": clickhouse, "create": True},
            "redis": {"type": "redis", "url": f"redis://127.0.0.1:{ports['redis']}/0"},
            "kafka": {"type": "kafka", "servers": self._kafka.servers, "topic": NAME},
            "objects": {"type": "objects", "uri": f"s3://{NAME}/lake", "options": options},
            "sqlite": {"type": "sqlite", "path": str(self.database), "busy_timeout": 1},
        }

    def stored(self) -> dict[str, list[str]]:
        """Return the ids in each of them, as any other program might read them."""
        readers: dict[str, Callable[[], Iterator[str]]] = {
            "postgres": self._in_postgres,
            "clickhouse": self._in_clickhouse,
            "redis": self._in_valkey,
            "kafka": self._in_kafka,
            "objects": self._in_objects,
            "sqlite": self._in_sqlite,
        }
        return {name: list(read()) for name, read in readers.items()}

    def _in_postgres(self) -> Iterator[str]:
        with psycopg.connect(self._postgres.uri) as connection:
            yield from (row[0] for row in connection.execute("SELECT id FROM events"))

    def _in_clickhouse(self) -> Iterator[str]:
        client = clickhouse_connect.get_client(dsn=self._clickhouse.uri, compress=False)
        answer = client.raw_query("SELECT id FROM events FINAL", fmt="JSONCompactEachRow")
        client.close()
        yield from (json.loads(line)[0] for line in answer.splitlines())

    def _in_valkey(self) -> Iterator[str]:
        with Redis.from_url(self._valkey.url) as client:
            yield from (fields[b"id"].decode() for _, fields in client.xrange("events"))

    def _in_kafka(self) -> Iterator[str]:
        for message in read_topic(self._kafka.servers, NAME):
            yield dict(message.headers())["id"].decode()

    def _in_objects(self) -> Iterator[str]:
        options = self._s3.options()
        lake = from_url(
            f"s3://{NAME}/lake/events", client_options={"allow_http": "true"}, **options
        )
        for key in [found["path"] for part in obstore.list(lake) for found in part]:
            for line in gzip.decompress(obstore.get(lake, key).bytes()).splitlines():
                yield json.loads(line)["id"]

    def _in_sqlite(self) -> Iterator[str]:
        with closing(sqlite3.connect(self.database)) as database:
            yield from (row[0] for row in database.execute("SELECT id FROM events"))
