"""A metadata store has every record, once, whatever becomes of events."""

from __future__ import annotations

import threading

import pytest
from waiting import DEADLINE

import eventtracking_core as et
from eventtracking_core.registry.store import MetadataWriter


class Store:
    """Keeps records in a list; fails as often as it is told."""

    def __init__(self, failures=0):
        self.records = []
        self.failures = failures
        self.failed = threading.Event()

    def save_event_type(self, record):
        if self.failures:
            self.failures -= 1
            self.failed.set()
            raise OSError(5, "Input/output error")
        self.records.append(record)

    def load_event_types(self):
        return self.records


def test_each_record_is_saved_once():
    store = Store()
    writer = MetadataWriter(store)
    first, second = et.EventType(name="a.b"), et.EventType(name="a.c")
    for record in (first, second, first):
        writer.add(record)

    assert writer.flush(60)
    assert store.records == [first, second]


@pytest.mark.slow
def test_a_store_that_fails_is_asked_again(caplog):
    store = Store(failures=1)
    writer = MetadataWriter(store)
    writer.add(et.EventType(name="a.b"))

    assert writer.flush(60)
    assert len(store.records) == 1
    assert "metadata store Store" in caplog.text


def test_a_closed_keeper_ends_its_waiting():
    store = Store(failures=1000)
    writer = MetadataWriter(store)
    writer.add(et.EventType(name="a.b"))
    assert store.failed.wait(DEADLINE)

    assert writer.shutdown(0) is False
    writer.add(et.EventType(name="a.c"))
    assert writer.flush(60)
    assert store.records == []
