"""Events are found again in a collection, and counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from waiting import at_most

from eventtracking_core import RetryableError

NOON = datetime(2026, 9, 12, 12, 0, tzinfo=UTC)


@pytest.fixture
def day(a_backend, an_event):
    """A collection, and five events of one day, stored in another order than they happened."""
    happened = [
        ("edx.problem.show", 1, 0),
        ("edx.problem.check", 1, 30),
        ("edx.problem.check", 2, 61),
        ("edx.video.play", "ann", 61.5),
        ("page_view", None, 120),
    ]
    events = [
        an_event(name=name, context={"user_id": user}, timestamp=NOON + timedelta(seconds=seconds))
        for name, user, seconds in happened
    ]
    backend = a_backend()
    backend.send_batch([events[number] for number in (3, 0, 4, 2, 1)], timeout=60)
    return backend, events


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"newest_first": True, "limit": 2}, [4, 3]),
        ({"name": "page[_]vie?"}, []),
    ],
)
def test_filters_narrow_what_is_found(day, filters, found):
    backend, events = day
    assert list(backend.query(**filters)) == [events[number] for number in found]


def test_whoever_asks_again_with_the_last_id_gets_what_was_made_since(day):
    backend, events = day
    ids = sorted(event["id"] for event in events)
    assert [event["id"] for event in backend.query(after="")] == ids
    assert [event["id"] for event in backend.query(after=ids[2])] == ids[3:]


def test_a_server_that_does_not_answer_is_a_retryable_error(a_backend):
    backend = a_backend(host="127.0.0.1", port=1, extra={"serverSelectionTimeoutMS": 50})
    with pytest.raises(RetryableError):
        list(backend.query())


def test_a_question_to_a_server_that_is_down_ends_within_seconds(a_backend):
    backend = a_backend(host="127.0.0.1", port=1)
    with at_most(8), pytest.raises(RetryableError, match="no primary server was found"):
        backend.count()
