"""Events to log, and loggers that are looked into."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from eventtracking_core.events import new_id


class Records(logging.Handler):
    """Keeps the records it handles."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)

    @property
    def messages(self):
        return [record.getMessage() for record in self.records]


@pytest.fixture
def logger(request):
    """The logger `tracking`, with a handler that keeps records."""
    logger = logging.getLogger("tracking")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield logger
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


@pytest.fixture
def logged(logger):
    handler = Records()
    logger.addHandler(handler)
    return handler


@pytest.fixture(name="an_event", scope="session")
def event_factory():
    """Return a function that makes an event of the data it is given."""

    def make(data=None, **fields):
        return {
            "id": new_id(),
            "name": "edx.problem.check",
            "timestamp": datetime.now(UTC),
            "context": {"user_id": 7},
            "data": data or {},
            **fields,
        }

    return make
