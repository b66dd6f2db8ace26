"""Values and configurations that no one should have, and what was warned of."""

from __future__ import annotations

import logging
import threading
import time
from datetime import tzinfo
from types import SimpleNamespace

import pytest
from waiting import wait_until

import eventtracking_core as et


@pytest.fixture(autouse=True)
def no_worker_remains():
    """Fails a test that leaves a worker: it would go on in the middle of later tests."""
    before = set(threading.enumerate())
    yield
    wait_until(lambda: not [each for each in threading.enumerate() if _is_left(each, before)])


def _is_left(thread, before):
    return thread.name.startswith("eventtracking-") and thread not in before


@pytest.fixture
def refused():
    """Returns the problems of a refused configuration, as they are printed."""

    def text(config):
        with pytest.raises(et.ConfigurationError) as caught:
            et.Tracker().configure(config)
        return str(caught.value)

    return text


@pytest.fixture
def warnings(caplog):
    """Return the problems that were logged so far: code, event name, field."""
    caplog.set_level(logging.WARNING, logger="eventtracking")

    def logged():
        return [
            (record.code, record.event_name, record.field)
            for record in caplog.records
            if hasattr(record, "field")
        ]

    return logged


@pytest.fixture(scope="session")
def hostile():
    """Objects whose classes do what no class should."""

    class Lying:
        @property
        def __class__(self):
            raise RuntimeError("no class")

    class Text(str):
        __slots__ = ()

        def __len__(self):
            raise RuntimeError("no length")

        __bool__ = __len__

    class Number(float):
        pass

    class Unprintable:
        __qualname__ = "Unprintable\ud800"

        def __repr__(self):  # pytest prints it where a test fails
            return "Unprintable"

    return SimpleNamespace(
        lying=Lying(), text=Text("x"), number=Number(1.5), unprintable=Unprintable()
    )


@pytest.fixture
def far_from_utc(monkeypatch):
    """The process is in New York."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="session")
def no_offset():
    """A timezone that does not know its offset."""

    class Nowhere(tzinfo):
        def utcoffset(self, moment):
            return None

        dst = tzname = utcoffset

    return Nowhere()
