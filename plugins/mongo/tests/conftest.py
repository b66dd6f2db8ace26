"""What the tests of this plugin share: events, and backends that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from eventtracking_core.events import new_id
from eventtracking_mongo import MongoBackend

WHEN = datetime(2026, 9, 12, 12, 55, 0, 123456, tzinfo=UTC)


@pytest.fixture
def an_event() -> Callable[..., Any]:
    def make(**fields: Any) -> Any:
        event = {
            "id": new_id(),
            "name": "edx.problem.check",
            "timestamp": WHEN,
            "context": {"user_id": 7},
            "data": {"attempts": 3},
        }
        return event | fields

    return make


@pytest.fixture
def some_events(an_event) -> Callable[[int], list[Any]]:
    return lambda count: [an_event(data={"number": number}) for number in range(count)]


@pytest.fixture
def a_backend(mongo_uri, mongo_database) -> Iterator[Callable[..., MongoBackend]]:
    """Make a backend that writes to the test's own database."""
    with ExitStack() as open_backends:

        def make(**options: Any) -> MongoBackend:
            if "host" not in options:
                options.setdefault("uri", mongo_uri)
            backend = MongoBackend(**{"database": mongo_database.name, "indexes": []} | options)
            open_backends.callback(backend.shutdown, 5)
            return backend

        yield make


@pytest.fixture
def stored(mongo_database) -> Callable[..., list[Any]]:
    """Return the documents of a collection."""
    return lambda collection="events": list(mongo_database[collection].find().sort("_id"))
