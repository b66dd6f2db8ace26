"""Databases of the tests' own on a real engine, and events to put into them."""

from __future__ import annotations

import json

import clickhouse_connect
import pytest
from making import make_event

from eventtracking_clickhouse import ClickHouseBackend
from eventtracking_clickhouse import backend as backend_module
from eventtracking_core.events import new_id


@pytest.fixture(scope="session")
def an_event():
    """Makes events."""
    return make_event


@pytest.fixture
def sql(clickhouse):
    """Runs a statement, as any other program might; returns the rows."""

    def run(statement):
        client = clickhouse_connect.get_client(
            host="127.0.0.1",
            port=clickhouse.port,
            username=clickhouse.user,
            password=clickhouse.password,
            compress=False,
        )
        try:
            answer = client.raw_query(statement, fmt="JSONCompactEachRow")
            return [json.loads(line) for line in answer.splitlines()]
        finally:
            client.close()

    return run


@pytest.fixture
def database(sql):
    """A database that no other test uses."""
    name = f"d{new_id().replace('-', '')}"
    sql(f"CREATE DATABASE {name}")
    yield name
    sql(f"DROP DATABASE {name}")


@pytest.fixture
def a_store(clickhouse, database, monkeypatch):
    """Makes backends that store in the test's database, and create what is missing."""
    monkeypatch.setattr(backend_module, "SAVE_TIMEOUT", 60.0)  # the machine may be busy
    made = []

    def make(**options):
        options = {"table": f"{database}.events", "create": True} | options
        backend = ClickHouseBackend(clickhouse.uri, **options)
        made.append(backend)
        return backend

    yield make
    for backend in made:
        backend.shutdown(5)
