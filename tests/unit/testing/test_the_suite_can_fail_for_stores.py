"""Each check of the suite finds the metadata store that it is there for."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

import pytest

from eventtracking_core.testing import MetadataStoreConformance

pytestmark = [pytest.mark.native, pytest.mark.once, pytest.mark.slow]


class Good:
    """Keeps records in memory."""

    def __init__(self):
        self.records = {}

    def save_event_type(self, record):
        self.records.setdefault(record.id, record)

    def load_event_types(self):
        return list(self.records.values())


def suite_of(store_class):
    """Return the suite for a metadata store."""

    class Suite(MetadataStoreConformance):
        def make_store(self):
            return store_class()

    return Suite()


def fails(check, store_class, *arguments, because):
    with pytest.raises((AssertionError, RuntimeError), match=because):
        getattr(suite_of(store_class), check)(*arguments)


class TestGood(MetadataStoreConformance):
    def make_store(self):
        return Good()


def test_a_store_that_loses_a_part_of_a_record():
    class Brief(Good):
        def save_event_type(self, record):
            super().save_event_type(replace(record, stack_trace=()))

    fails("test_returns_whole_records", Brief, because="as it was saved")


def test_a_store_that_loses_records():
    class Forgets(Good):
        def save_event_type(self, record):
            self.records = {record.id: record}

    because = r"\d+ of \d+ records were not there"
    fails("test_returns_the_oldest_first", Forgets, because=because)
    fails("test_takes_records_from_many_threads", Forgets, because=because)
    fails("test_works_in_a_forked_child", Forgets, because=because)


def test_a_store_without_order():
    class Reverses(Good):
        def load_event_types(self):
            return reversed(super().load_event_types())

    fails("test_returns_the_oldest_first", Reverses, because="in their order")


def test_a_store_that_overwrites_or_repeats_a_record():
    class Overwrites(Good):
        def save_event_type(self, record):
            self.records[record.id] = record

    class Repeats(Good):
        def save_event_type(self, record):
            self.records[len(self.records)] = record

    check = "test_keeps_the_first_record_of_an_id"
    fails(check, Overwrites, because="is never changed")
    fails(check, Repeats, because="changes nothing")


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("empty", lambda text: text or "none"),
        ("long", lambda text: text[:1000]),
        ("with line breaks", lambda text: " ".join(text.splitlines())),
        ("with NUL", lambda text: text.partition("\0")[0]),
        ("with markup", lambda text: text.replace("&amp;", "&")),
        ("beyond the BMP", lambda text: text.encode("ascii", "replace").decode()),
    ],
)
def test_a_store_that_changes_text(case, change):
    class Changes(Good):
        def load_event_types(self):
            for id_, record in self.records.items():
                changed = replace(record, description=change(record.description))
                changed.__dict__["id"] = id_  # as a store that keeps the id in a column
                yield changed

    fails("test_takes_hostile_text", Changes, case, because="came back as another one")


def test_a_store_that_belongs_to_one_thread_or_process():
    class Affine(Good):
        def __init__(self):
            super().__init__()
            self.here = threading.get_ident(), os.getpid()

        def save_event_type(self, record):
            if threading.get_ident() != self.here[0]:
                raise RuntimeError("wrong thread")
            if os.getpid() != self.here[1]:
                raise RuntimeError("wrong process")
            super().save_event_type(record)

    fails("test_takes_records_from_many_threads", Affine, because="wrong thread")
    fails("test_works_in_a_forked_child", Affine, because="wrong process")
