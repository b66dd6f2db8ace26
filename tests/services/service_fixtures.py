"""Fixtures for tests with a real MongoDB server and a failing network; a pytest plugin.

`EVENTTRACKING_TEST_MONGO_URI` names a server of one's own, for the tests that only need one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from clickhouse_server import ClickHouse
from fault_proxy import FaultProxy
from mariadb_server import MariaDB
from mongod import Mongod
from postgres_server import Postgres
from s3_server import S3Server
from started_server import lend

if TYPE_CHECKING:
    import pymongo

__all__ = [
    "clickhouse",
    "fault_proxy",
    "mariadb",
    "mongo_database",
    "mongo_uri",
    "mongod",
    "postgres",
    "s3",
    "shared_mongod",
]


@pytest.fixture(scope="session")
def shared_mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """One server for the tests of a worker process. Leave it running."""
    yield from lend(Mongod(tmp_path_factory.mktemp("mongod")))


@pytest.fixture
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A server of the test's own, to kill and to restart."""
    yield from lend(Mongod(tmp_path_factory.mktemp("mongod")))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the tests of a worker process. Leave it running."""
    yield from lend(Postgres())


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """One engine for the tests of a worker process. Leave it running."""
    yield from lend(ClickHouse(tmp_path_factory.mktemp("clickhouse")))


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One server for the tests of a worker process. Leave it running."""
    yield from lend(S3Server(tmp_path_factory.mktemp("s3")))


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """One server for the tests of a worker process. Leave it running."""
    yield from lend(MariaDB())


@pytest.fixture
def mongo_uri(request: pytest.FixtureRequest) -> str:
    """The connection string of a server that takes writes."""
    named = os.environ.get("EVENTTRACKING_TEST_MONGO_URI")
    if named is not None:
        return named
    server: Mongod = request.getfixturevalue("shared_mongod")
    return server.uri


@pytest.fixture
def mongo_database(mongo_uri: str) -> Iterator[pymongo.database.Database[dict[str, object]]]:
    """A database that was not there before the test, and is not after it."""
    import pymongo

    with pymongo.MongoClient[dict[str, object]](mongo_uri) as client:
        name = f"eventtracking_test_{uuid4().hex}"
        yield client[name]
        client.drop_database(name)


@pytest.fixture
def fault_proxy() -> Iterator[Callable[[str, int], FaultProxy]]:
    """Make a proxy before a host and a port; it ends with the test."""
    with ExitStack() as proxies:
        yield lambda host, port: proxies.enter_context(FaultProxy(host, port))
