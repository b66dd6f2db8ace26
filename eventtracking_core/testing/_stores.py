"""The contract of metadata stores, as a class of tests to inherit."""

# ruff: noqa: S101  these are tests

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest

from eventtracking_core.events import new_id
from eventtracking_core.registry import EventType, FieldDoc, MetadataStore
from eventtracking_core.testing._bounded import in_a_child, in_threads
from eventtracking_core.testing._component import EACH, THREADS, ComponentConformance

__all__ = ["MetadataStoreConformance"]

BEGIN: Final = datetime(2026, 9, 12, 12, 55, 0, 123450, UTC)

_TEXTS: Final = {
    "empty": "",
    "long": "x" * 2**20,
    "with line breaks": "a\r\nb\u2028c",
    "with NUL": "a\0b",
    "with terminal escapes": "\x1b[31mred",
    "with markup": '<script>alert("&amp;")</script>',
    "with quotes": "'; DROP TABLE event_types; --",
    "with a dollar": "$set",
    "that turns its direction": "a\u202egnp.exe",
    "beyond the BMP": "🎓",
}


class MetadataStoreConformance(ComponentConformance):
    """The checks that a metadata store passes: inherit it, and say how one is made.

    Where the store keeps its records must be there; there may be others already::

        class TestLedger(MetadataStoreConformance):
            def make_store(self):
                return LedgerStore(path="types.db")
    """

    @abstractmethod
    def make_store(self) -> MetadataStore:
        """Return a store that was not used yet; called once or more in each check."""

    def _make(self) -> MetadataStore:
        return self.make_store()

    def test_returns_whole_records(self) -> None:
        """Nothing of a record is lost between saving and loading."""
        record = _record()
        with self._running() as store:
            store.save_event_type(record)
            (loaded,) = _loaded(store, [record])
        assert loaded.to_dict() == record.to_dict(), "a record must come back as it was saved"

    def test_returns_the_oldest_first(self) -> None:
        """Of several records of a name, the last one holds."""
        days = (BEGIN + timedelta(days=number) for number in range(10))
        records = [_record().at(day, []) for day in days]
        with self._running() as store:
            for record in records:
                store.save_event_type(record)
            ids = [record.id for record in _loaded(store, records)]
        assert ids == [record.id for record in records], "return the records in their order"

    def test_keeps_the_first_record_of_an_id(self) -> None:
        """Every process that starts saves the same records again."""
        first = _record()
        again = first.at(first.registered_at + timedelta(days=1), ["elsewhere.py:1 in again"])
        with self._running() as store:
            store.save_event_type(first)
            store.save_event_type(again)
            loaded = _loaded(store, [first])
        assert len(loaded) == 1, "a record whose id is there already changes nothing"
        assert loaded[0].to_dict() == first.to_dict(), "the first record of an id is never changed"

    @pytest.mark.parametrize("case", _TEXTS)
    def test_takes_hostile_text(self, case: str) -> None:
        """Any text in a description comes back."""
        record = _record(description=_TEXTS[case])
        with self._running() as store:
            store.save_event_type(record)
            (loaded,) = _loaded(store, [record])
        assert loaded.description == record.description, "the text came back as another one"

    def test_takes_records_from_many_threads(self) -> None:
        """Any thread may register, at any time."""
        records = [[_record() for _ in range(EACH)] for _ in range(THREADS)]
        with self._running() as store:
            in_threads([partial(_save, store, part) for part in records], self.deadline)
            _loaded(store, [record for part in records for record in part])

    def test_works_in_a_forked_child(self) -> None:
        """The child has connections of its own, and leaves its parent's alone."""
        first, second, third = (_record() for _ in range(3))
        with self._running() as store:
            store.save_event_type(first)
            failure = in_a_child(partial(_save, store, [second]), self.deadline)
            assert not failure, failure
            store.save_event_type(third)
            _loaded(store, [first, third])

    @contextmanager
    def _running(self) -> Iterator[MetadataStore]:
        store = self.make_store()
        try:
            yield store
        finally:
            self._ask(store, "shutdown")


def _record(**parts: Any) -> EventType:
    """Return a record that there is none of yet."""
    whole = {
        "name": f"edx.problem.check.{new_id()}",
        "description": "A learner checked an answer.",
        "fields": (
            FieldDoc("attempts", "How often", type="integer", enum=(1, 2, 3)),
            FieldDoc("user.email", "Who", required=False, pii="email"),
        ),
        "context_fields": (FieldDoc("course_id", "In which course"),),
        "owner": "assessments",
        "tags": ("problem", "grading"),
        "examples": ({"attempts": 1, "user": {"email": "a@b.c"}},),
        "deprecated": "edx.problem.graded",
        "schema": {"type": "object", "properties": {"attempts": {"type": "integer"}}},
    }
    return EventType(**whole | parts).at(BEGIN, ["app.py:7 in main", "quiz.py:9 in <module>"])


def _save(store: MetadataStore, records: Sequence[EventType]) -> None:
    for record in records:
        store.save_event_type(record)


def _loaded(store: MetadataStore, saved: Sequence[EventType]) -> list[EventType]:
    """Return those of the saved records that a store has, all of which must be there."""
    ids = {record.id for record in saved}
    loaded = [record for record in store.load_event_types() if record.id in ids]
    lost = ids - {record.id for record in loaded}
    assert not lost, f"{len(lost)} of {len(ids)} records were not there when they were asked for"
    return loaded
