"""Tables of the tests' own on a real server, and events to put into them."""

from __future__ import annotations

import psycopg
import pytest
from making import make_event

from eventtracking_core.events import new_id
from eventtracking_postgres import PostgresBackend


@pytest.fixture(scope="session")
def an_event():
    """Makes events."""
    return make_event


@pytest.fixture
def sql(postgres):
    """Runs a statement, as any other program might."""

    def run(statement, *values):
        with psycopg.connect(postgres.uri, autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def schema(sql):
    """A schema that no other test uses."""
    name = f"s{new_id().replace('-', '')[8:]}"
    yield name
    sql("SET client_min_messages = error")
    sql(f"DROP SCHEMA IF EXISTS {name}, {name}_types CASCADE")


@pytest.fixture
def a_store(postgres, schema):
    """Makes backends that store in the test's schema."""
    made = []

    def make(**options):
        backend = PostgresBackend(postgres.uri, f"{schema}.events", **options)
        made.append(backend)
        return backend

    yield make
    for backend in made:
        backend.shutdown(5)
