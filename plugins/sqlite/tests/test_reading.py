"""Events are found again, by name, time and user, and counted."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventtracking_core import RetryableError

NOON = datetime(2026, 9, 12, 12, 0, tzinfo=UTC)


def names(events):
    return [event["name"] for event in events]


@pytest.fixture
def day(store, an_event):
    """Five events of one day, stored in another order than they happened."""
    happened = [
        ("edx.problem.show", 1, 0),
        ("edx.problem.check", 1, 30),
        ("edx.problem.check", 2, 61),
        ("edx.video.play", "ann", 61.5),
        ("page_view", None, 120),
    ]
    events = [
        an_event(name, user_id=user_id, at=NOON + timedelta(seconds=seconds))
        for name, user_id, seconds in happened
    ]
    store.send_batch([events[number] for number in (3, 0, 4, 2, 1)], timeout=60)
    return events


def test_events_come_in_the_order_in_which_they_happened(store, day):
    assert list(store.query()) == day
    assert list(store.query(newest_first=True)) == day[::-1]
    assert list(store.query(newest_first=True, limit=2)) == [day[4], day[3]]


def test_events_of_one_instant_come_in_the_order_of_their_ids(store, an_event):
    events = [an_event() for _ in range(20)]
    store.send_batch(events[::-1], timeout=60)
    assert list(store.query()) == events


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"name": ""}, []),
        ({"since": NOON.astimezone(timezone(timedelta(hours=-5))), "limit": 1}, [0]),
        ({"since": datetime.max.replace(tzinfo=UTC)}, []),
    ],
)
def test_filters_narrow_what_is_found(store, day, filters, found):
    assert list(store.query(**filters)) == [day[number] for number in found]


def test_the_most_frequent_names_come_first(store, day):
    assert store.count_by("name", limit=2) == [("edx.problem.check", 2), ("edx.problem.show", 1)]


@given(name=st.text("ab[]*?.", min_size=1), pattern=st.text("ab[]*?."))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_only_two_signs_of_a_glob_mean_something(store, an_event, name, pattern):
    event = an_event(name)
    store.send(event)
    found = any(each["id"] == event["id"] for each in store.query(name=pattern))
    assert found == fnmatchcase(name, pattern.replace("[", "[[]"))


def test_who_asks_for_what_came_after_gets_it_in_the_order_of_arrival(store, day, an_event):
    last = day[1]["id"]
    assert list(store.query(after=last)) == []
    late = an_event("late", at=NOON - timedelta(days=300))
    store.send_batch([late, an_event("later")], timeout=60)
    assert names(store.query(after=last)) == ["late", "later"]
    assert names(store.query(after=last, name="*r")) == ["later"]
    assert names(store.query(after=last, newest_first=True)) == ["later", "late"]


def test_an_id_that_is_not_there_counts_as_the_one_before_it(store, an_event):
    events = [an_event(id=f"{number}") for number in (1, 3, 5)]
    store.send_batch(events, timeout=60)
    assert list(store.query(after="2")) == events[1:]
    assert list(store.query(after="0")) == events
    assert list(store.query(after="9")) == []


def test_reading_streams(store, an_event):
    store.send_batch([an_event() for _ in range(1000)], timeout=60)
    events = store.query()
    first = next(events)
    store.send(an_event())
    assert all(first["id"] != event["id"] for event in events)


def test_whoever_stops_reading_leaves_nothing_open(store, path, an_event):
    store.send_batch([an_event(), an_event()], timeout=60)
    events = store.query()
    next(events)
    del events
    assert store.shutdown(60)
    # SQLite removes its other files with the last connection.
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "read",
    [
        lambda store: list(store.query()),
        lambda store: store.get("1"),
        lambda store: store.count(),
        lambda store: store.count_by("name"),
        lambda store: store.count_per("minute"),
    ],
)
def test_a_reader_makes_no_file(store, path, read):
    with pytest.raises(FileNotFoundError, match="no event store here yet"):
        read(store)
    assert not path.parent.exists()


def test_a_file_without_anything_in_it_is_no_store_yet(store, path):
    path.parent.mkdir()
    path.touch()
    with pytest.raises(FileNotFoundError, match="no event store here yet"):
        store.count()


def test_a_reader_cannot_write(store, path, an_event):
    store.send(an_event())
    store.shutdown(5)
    before = path.read_bytes()
    assert store.count() == 1
    assert path.read_bytes() == before


@pytest.mark.parametrize("what", ["newer", "foreign", "no database"])
def test_a_file_that_cannot_be_used_is_refused_and_left_alone(store, path, sql, an_event, what):
    if what == "newer":
        store.send(an_event())
        store.shutdown(5)
        sql("PRAGMA user_version = 2")
    elif what == "foreign":
        path.parent.mkdir()
        sql("CREATE TABLE mine (id)")
    else:
        path.parent.mkdir()
        path.write_bytes(b"Dear diary, " * 1000)
    before = path.read_bytes()
    messages = {"newer": "schema version 2", "foreign": "not an event store"}
    message = messages.get(what, "not an SQLite")
    for use in (store.count, lambda: store.send(an_event())):
        with pytest.raises(RetryableError, match=message):
            use()
    assert path.read_bytes() == before


def test_the_queries_of_the_readme_answer_what_they_say(store, sql, an_event):
    for user_id, problem, attempts in [(1, "p1", 1), (1, "p1", 4), (2, "p2", 2), (None, "p2", 1)]:
        data = {"problem_id": problem, "attempts": attempts}
        store.send(an_event(user_id=user_id, data=data))
    store.send(an_event("edx.problem.show", user_id=2))
    store.send(an_event("edx.problem.show", user_id=3, at=NOON + timedelta(days=1)))
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    attempts, users, never, forget = re.findall(r"```sql\n(.*?)```", readme, re.DOTALL)
    assert sql(attempts) == [("p1", 4), ("p2", 2)]
    assert sql(users) == [("2026-09-12", 2), ("2026-09-13", 1)]
    assert sql(never) == [("3",)]
    assert sql(forget) == []


def test_the_schema_is_the_one_of_the_readme(store, sql, an_event):
    store.send(an_event())
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    columns = [column for _, column, *_ in sql("PRAGMA table_info(events)")]
    places = [readme.index(f"`{column}`", readme.index("## The schema")) for column in columns]
    assert all(one < other for one, other in pairwise(places[:5]))
    (application,), (version,) = sql("PRAGMA application_id")[0], sql("PRAGMA user_version")[0]
    assert f"`PRAGMA application_id` is {application}" in readme
    assert f"version {version} of the schema" in readme


def test_filters_by_name_time_and_user_use_an_index(store, sql, an_event):
    store.send(an_event(user_id=1))
    for condition in ("name = 'a'", "timestamp >= 'a'", "user_id = 'a'"):
        plan = sql(f"EXPLAIN QUERY PLAN SELECT * FROM events WHERE {condition}")
        assert "USING INDEX events_by_" in plan[0][3]
