"""structlog with its defaults around each test, and a tracker that remembers."""

from __future__ import annotations

import json
import logging
import threading

import pytest
import structlog
from structlog.contextvars import clear_contextvars
from structlog.testing import LogCapture

import eventtracking_core as et
from eventtracking_core.testing import capture
from eventtracking_structlog import tracking_wrapper


@pytest.fixture(autouse=True)
def _defaults():
    structlog.reset_defaults()
    clear_contextvars()
    yield
    structlog.reset_defaults()
    clear_contextvars()
    et.configure({})


@pytest.fixture
def events():
    """The events of the default tracker, which its backends get too."""
    with capture(pass_through=True) as events:
        yield events


@pytest.fixture
def lines():
    """Makes the last processor of structlog, which keeps the lines: `lines.entries`."""
    return LogCapture()


@pytest.fixture
def logger(lines):
    """Makes a logger of a tracking class of any base, whose lines are kept."""

    def make(base=None, *, tracker=None, processors=(), **config):
        base = structlog.make_filtering_bound_logger(0) if base is None else base
        structlog.configure(
            wrapper_class=tracking_wrapper(base, tracker=tracker),
            processors=[*processors, lines],
            **config,
        )
        return structlog.get_logger()

    return make


class Kept(logging.Handler):
    """Formats records and keeps what comes of it."""

    def __init__(self):
        super().__init__()
        self.texts = []

    def emit(self, record):
        self.texts.append(self.format(record))

    @property
    def lines(self):
        return [json.loads(text) for text in self.texts]


@pytest.fixture
def stdlib_log():
    """The standard library's logger `app`, whose handler keeps what it formats."""
    handler = Kept()
    structlog.stdlib.LoggerFactory()  # sets the class of loggers that are made after it
    app = logging.getLogger("app")
    app.addHandler(handler)
    app.setLevel(logging.INFO)
    app.propagate = False
    yield handler
    app.removeHandler(handler)
    app.setLevel(logging.NOTSET)
    app.propagate = True


@pytest.fixture
def in_threads():
    """Calls a function in several threads at once, with the number of each."""

    def run(work, number):
        barrier = threading.Barrier(number)

        def begin(index):
            barrier.wait(60)
            work(index)

        threads = [threading.Thread(target=begin, args=(index,)) for index in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)

    return run
