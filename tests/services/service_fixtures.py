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
from clickhouse_server import ClickHouse, ClickHouseError
from fault_proxy import FaultProxy
from mariadb_server import MariaDB, MariaDBError
from mongod import Mongod, MongodError
from postgres_server import Postgres, PostgresError
from s3_server import S3Error, S3Server

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
    yield from _started(tmp_path_factory)


@pytest.fixture
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A server of the test's own, to kill and to restart."""
    yield from _started(tmp_path_factory)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the tests of a worker process. Leave it running."""
    server = Postgres()
    try:
        server.start()
    except PostgresError as error:
        server.remove()
        pytest.skip(str(error))
    yield server
    server.remove()


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    """One engine for the tests of a worker process. Leave it running."""
    server = ClickHouse(tmp_path_factory.mktemp("clickhouse"))
    try:
        server.start()
    except ClickHouseError as error:
        pytest.skip(str(error))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """One server for the tests of a worker process. Leave it running."""
    server = S3Server()
    try:
        server.start()
    except S3Error as error:
        server.end()
        pytest.skip(str(error))
    yield server
    server.end()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """One server for the tests of a worker process. Leave it running."""
    server = MariaDB()
    try:
        server.start()
    except MariaDBError as error:
        server.remove()
        pytest.skip(str(error))
    yield server
    server.remove()


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


def _started(factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    server = Mongod(factory.mktemp("mongod"))
    try:
        server.start()
    except MongodError as error:
        server.remove()
        pytest.skip(str(error))
    yield server
    server.remove()
