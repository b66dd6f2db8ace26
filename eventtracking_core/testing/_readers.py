"""The contract of stores of events that can be read, as a class of tests to inherit."""

# ruff: noqa: S101  these are tests

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import pytest

from eventtracking_core.errors import RetryableError
from eventtracking_core.events import Event, new_id
from eventtracking_core.reading import EventReader, Period
from eventtracking_core.testing._sending import callable_now

__all__ = ["EventReaderConformance"]

CLOSING: Final = 60.0
"""Seconds."""

MONDAY: Final = datetime(2026, 9, 14, tzinfo=UTC)
_HAPPENED: Final[Sequence[tuple[str, object, dict[str, Any], timedelta]]] = [
    ("edx.problem.show", 7, {"n": 1, "part": {"a": "x"}}, timedelta(hours=-1)),
    ("edx.problem.check", "7", {"n": 1.0, "ok": True}, timedelta(0)),
    ("edx.problem.check", 8, {"n": "1", "ok": False}, timedelta(seconds=59.5)),
    ("edx.video.play", "ann", {"n": 2.5, "part": {"a": "y"}}, timedelta(seconds=60)),
    ("page[view]", None, {"n": None, "tags": ["a"]}, timedelta(days=1, hours=5)),
    ("Ärger\n", True, {"ok": "true"}, timedelta(days=7)),
]


def _events() -> list[Event]:
    events = []
    for name, user, data, after in _HAPPENED:
        context = {} if user is None else {"user_id": user}
        event = {"id": new_id(), "name": name, "timestamp": MONDAY + after}
        events.append(cast("Event", {**event, "context": context, "data": data}))
    return events


class EventReaderConformance:
    """The checks that an `EventReader` passes: inherit it, and say how one is filled.

    For example::

        class TestLedger(EventReaderConformance):
            def make_reader(self, events):
                ledger = LedgerBackend(path="events.db")
                ledger.send_batch(events, timeout=5)
                return ledger
    """

    @abstractmethod
    def make_reader(self, events: Sequence[Event]) -> EventReader:
        """Return a reader of a new store that has these events, stored in their order."""

    @pytest.fixture
    def filled(self) -> Iterator[tuple[EventReader, list[Event]]]:
        """Return a reader, and what it finds."""
        events = _events()
        with self._reader_of(events) as reader:
            yield reader, events

    def test_is_a_reader(self, filled: tuple[EventReader, list[Event]]) -> None:
        """The command line and the catalogue recognise it."""
        assert isinstance(filled[0], EventReader)

    def test_yields_events_in_the_order_of_their_times(
        self, filled: tuple[EventReader, list[Event]]
    ) -> None:
        """All of each event is there; the order can be reversed, and the number limited."""
        reader, events = filled
        assert list(reader.query()) == events
        assert list(reader.query(limit=2)) == events[:2]
        assert list(reader.query(limit=0)) == []
        assert list(reader.query(newest_first=True)) == events[::-1]
        assert list(reader.query(newest_first=True, limit=2)) == events[:-3:-1]

    @pytest.mark.parametrize(
        ("filters", "matching"),
        [
            ({"name": "edx.problem.check"}, [1, 2]),
            ({"name": "edx.*"}, [0, 1, 2, 3]),
            ({"name": "*.pla?"}, [3]),
            ({"name": "page[view]"}, [4]),
            ({"name": "EDX.*"}, []),
            ({"name": "*\n"}, [5]),
            ({"since": MONDAY}, [1, 2, 3, 4, 5]),
            ({"until": MONDAY}, [0]),
            ({"since": MONDAY.replace(tzinfo=None), "limit": 2}, [1, 2]),
            ({"user": "7"}, [0, 1]),
            ({"user": "ann"}, [3]),
            ({"where": {"context.user_id": "8"}}, [2]),
            ({"where": {"context.user_id": "8"}, "name": "*.show"}, []),
            ({"where": {"data.n": "1"}}, [0, 1, 2]),
            ({"where": {"data.n": "2.5"}}, [3]),
            ({"where": {"data.n": "null"}}, [4, 5]),
            ({"where": {"data.ok": "true"}}, [1, 5]),
            ({"where": {"data.ok": "1"}}, []),
            ({"where": {"data.part.a": "x"}}, [0]),
            ({"where": {"data.part.b": "x"}}, []),
            ({"where": {"name": "edx.video.play", "data.n": "2.5"}}, [3]),
            ({"where": {"data.n": "1"}, "user": "7", "since": MONDAY, "limit": 5}, [1]),
        ],
    )
    def test_filters_narrow_what_is_found(
        self,
        filled: tuple[EventReader, list[Event]],
        filters: dict[str, Any],
        matching: list[int],
    ) -> None:
        """Names are globs, and values of fields are compared as text."""
        reader, events = filled
        assert list(reader.query(**filters)) == [events[number] for number in matching]
        if "limit" not in filters:
            assert reader.count(**filters) == len(matching)

    @pytest.mark.parametrize("field", ["user_id", "", "data", "data.", "context..a", "timestamp"])
    def test_refuses_a_field_that_no_event_has(
        self, filled: tuple[EventReader, list[Event]], field: str
    ) -> None:
        """A filter that would find nothing is a mistake."""
        reader, _ = filled
        with pytest.raises(ValueError, match="name a field as"):
            list(reader.query(where={field: "7"}))
        with pytest.raises(ValueError, match="name a field as"):
            reader.count_by(field)

    def test_counts_the_values_of_a_field(self, filled: tuple[EventReader, list[Event]]) -> None:
        """The most frequent come first; 7, 7.0 and "7" are one value."""
        reader, _ = filled
        names = reader.count_by("name")
        assert names[0] == ("edx.problem.check", 2)
        assert sum(number for _, number in names) == len(_HAPPENED)
        assert reader.count_by("name", limit=1) == names[:1]
        assert dict(reader.count_by("data.n")) == {"1": 3, "2.5": 1, None: 2}
        assert dict(reader.count_by("data.ok")) == {"true": 2, "false": 1, None: 3}
        assert dict(reader.count_by("data.part", name="edx.*")) == {"{…}": 2, None: 2}
        assert dict(reader.count_by("data.tags", name="p*")) == {"[…]": 1}
        assert dict(reader.count_by("context.user_id", name="edx.*")) == {"7": 2, "8": 1, "ann": 1}

    @pytest.mark.parametrize(
        ("period", "counts"),
        [
            ("minute", {-60: 1, 0: 2, 1: 1, 29 * 60: 1, 7 * 1440: 1}),
            ("hour", {-60: 1, 0: 3, 29 * 60: 1, 7 * 1440: 1}),
            ("day", {-1440: 1, 0: 3, 1440: 1, 7 * 1440: 1}),
            ("week", {-7 * 1440: 1, 0: 4, 7 * 1440: 1}),
        ],
    )
    def test_counts_periods_in_their_order(
        self,
        filled: tuple[EventReader, list[Event]],
        period: Period,
        counts: dict[int, int],
    ) -> None:
        """Periods are of UTC, and weeks begin on Monday."""
        reader, _ = filled
        expected = [(MONDAY + timedelta(minutes=at), number) for at, number in counts.items()]
        assert reader.count_per(period) == expected
        assert reader.count_per(period, name="nothing") == []

    def test_finds_an_event_by_its_id_or_by_a_part_of_it(
        self, filled: tuple[EventReader, list[Event]]
    ) -> None:
        """A part may be of the beginning, the end or the middle."""
        reader, events = filled
        wanted = events[3]
        assert reader.get(wanted["id"]) == wanted
        assert reader.get("nothing") is None
        assert reader.find(wanted["id"][9:23]) == [wanted]
        assert reader.find(wanted["id"][14:]) == [wanted]
        assert reader.find(wanted["id"][:18]) == [wanted]
        assert reader.find(wanted["id"]) == [wanted]
        assert len(reader.find(wanted["id"][:4])) == 2  # noqa: PLR2004  its default
        assert reader.find(".*") == []

    def test_makes_nothing_by_reading(self) -> None:
        """A store that is empty, or not there yet, has no events."""
        with self._reader_of([]) as reader, suppress(FileNotFoundError, RetryableError):
            assert list(reader.query()) == []
            assert reader.count() == 0
            assert reader.count_by("name") == []

    @contextmanager
    def _reader_of(self, events: Sequence[Event]) -> Iterator[EventReader]:
        reader = self.make_reader(events)
        try:
            yield reader
        finally:
            shutdown = getattr(callable_now(reader), "shutdown", None)
            if callable(shutdown):
                shutdown(CLOSING)
