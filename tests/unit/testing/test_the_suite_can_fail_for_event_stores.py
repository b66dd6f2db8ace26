"""Each check of the suite finds the store of events that it is there for."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from threading import Lock

import pytest

from eventtracking_core import BatchError, RejectedError, RetryableError
from eventtracking_core.encoding import decode_json, encode_json
from eventtracking_core.reading import conditions, field_reader, matcher, per_period, value_text
from eventtracking_core.testing import EventStoreConformance

pytestmark = [pytest.mark.native, pytest.mark.once, pytest.mark.slow]


class Good:
    """Stores events in memory, each id once."""

    def __init__(self):
        self.events, self.is_away, self.refuses, self.lock = {}, False, False, Lock()

    def send(self, event):
        self.send_batch([event], timeout=1)

    def send_batch(self, events, *, timeout):
        if self.is_away:
            raise RetryableError("the store is away")
        failures = {}
        with self.lock:
            for index, event in enumerate(events):
                if self.refuses and event["data"] == {"n": 37}:
                    failures[index] = RejectedError("37 is refused")
                else:
                    self.events.setdefault(event["id"], encode_json(event))
        if failures:
            raise BatchError(failures)

    def query(self, **query):
        matches, after = matcher(query), query.get("after")
        found = [event for event in map(decode_json, self.events.values()) if matches(event)]
        if after is None:
            found.sort(key=lambda event: (event["timestamp"], event["id"]))
        else:
            found = [event for event in found if event["id"] > after]
        if query.get("newest_first"):
            found.reverse()
        return iter(found[: query.get("limit")])

    def get(self, event_id):
        return next((event for event in self.query() if event["id"] == event_id), None)

    def find(self, part, *, limit=2):
        return [event for event in self.query() if part in event["id"]][:limit]

    def count(self, **filters):
        return sum(1 for _ in self.query(**filters))

    def count_by(self, field, *, limit=None, **filters):
        conditions({"where": {field: ""}})
        value = field_reader(field)
        texts = (value_text(value(event)) for event in self.query(**filters))
        return Counter(texts).most_common(limit)

    def count_per(self, period, **filters):
        return per_period(self.query(**filters), period)


def suite_of(store_class):
    """Return the suite for a store of events."""

    class Suite(EventStoreConformance):
        made = None

        def make_backend(self):
            self.made = self.made or store_class()
            return self.made

        def make_backend_at(self, port):
            return Silent() if store_class is Good else store_class()

        def refuse(self):
            self.made.refuses = True
            return True

        def faults(self):
            return [self.away()]

        @contextmanager
        def away(self):
            self.made.is_away = True
            yield
            self.made.is_away = False

    return Suite


class Silent(Good):
    def send_batch(self, events, *, timeout):
        raise RetryableError("the server does not answer")


def fails(check, store_class, *arguments, because=None):
    with pytest.raises((AssertionError, RuntimeError), match=because):
        getattr(suite_of(store_class)(), check)(*arguments)


class TestGood(suite_of(Good)):
    test_works_in_a_forked_child = None  # a child's memory is its own
    test_forked_children_have_connections_of_their_own = None
    test_the_class_is_documented = None


def test_a_store_that_stores_what_is_sent_again_twice():
    class Again(Good):
        def send_batch(self, events, *, timeout):
            for event in events:
                self.events[len(self.events)] = encode_json(event)

    fails("test_stores_an_event_once_however_often_it_is_sent", Again, because="more than once")


def test_a_store_that_cuts_texts():
    class Cuts(Good):
        def send_batch(self, events, *, timeout):
            super().send_batch([e | {"name": e["name"][:255]} for e in events], timeout=timeout)

    fails("test_returns_events_as_they_are_encoded", Cuts, because="was changed")


def test_a_store_that_forgets_what_came_after():
    class Forgets(Good):
        def query(self, **query):
            return super().query(**query | {"after": None})

    fails("test_yields_what_was_stored_after_an_event", Forgets)


def test_a_store_that_compares_numbers_as_floats():
    class Floats(Good):
        def count(self, **filters):
            wanted = float(filters["where"]["data.value"])
            return sum(float(event["data"]["value"]) == wanted for event in self.query())

    fails("test_compares_numbers_exactly", Floats, 2**53 + 1)


def test_a_store_in_which_a_text_means_something():
    class Globs(Good):
        def count(self, **filters):
            return super().count(name=filters["where"]["data.value"])

    fails("test_finds_any_text", Globs, "[a]*?")


def test_a_store_that_reads_only_so_many():
    class Few(Good):
        def query(self, **query):
            return super().query(**{"limit": 1000} | query)

    fails("test_many_events_are_read_in_pieces", Few)


@pytest.mark.parametrize(
    ("error", "because"),
    [(RetryableError("no answer to a-password"), "password"), (None, "delivers all the same")],
)
def test_a_store_that_a_silent_server_misleads(error, because):
    class Tells(Good):
        def send_batch(self, events, *, timeout):
            if error:
                raise error

    fails("test_a_server_that_says_nothing_is_left_in_time", Tells, because=because)


def test_a_store_that_does_not_reject_what_it_refuses(tmp_path):
    class Refuses(Good):
        def send_batch(self, events, *, timeout):
            if self.refuses:
                events = [event for event in events if event["data"]["n"] != 37]
            super().send_batch(events, timeout=timeout)

    fails(
        "test_an_event_that_the_store_refuses_is_rejected_alone",
        Refuses,
        tmp_path,
        because="raise RejectedError",
    )


def test_a_store_that_forgets_what_children_send():
    fails("test_forked_children_have_connections_of_their_own", Good, because="did not arrive")


def test_a_store_that_loses_what_it_cannot_store(tmp_path):
    class Loses(Good):
        def send_batch(self, events, *, timeout):
            if not self.is_away:
                super().send_batch(events, timeout=timeout)

    fails("test_loses_and_repeats_nothing_while_the_sink_fails", Loses, tmp_path)
