"""What happens when the database does not do as it is told."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager

import pytest

from eventtracking_core import BatchError, EventType, RejectedError, RetryableError
from eventtracking_sqlite import SqliteBackend


@contextmanager
def locked(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_a_locked_database_is_tried_again_later(store, path, an_event):
    store.send(an_event())
    with locked(path):
        with pytest.raises(RetryableError, match="locked"):
            store.send(an_event())
        with pytest.raises(RetryableError, match="locked"):
            store.send_batch([an_event()], timeout=0.05)
    store.send_batch([an_event()], timeout=60)
    store.send(an_event())
    assert store.count() == 3


def test_the_first_event_waits_for_who_else_uses_the_file(path, an_event):
    path.parent.mkdir()
    store = SqliteBackend(str(path), busy_timeout=30)
    with locked(path):
        thread = threading.Thread(target=store.send, args=(an_event(),))
        thread.start()
        while store.flush(0):
            pass
    thread.join()
    assert store.count() == 1
    assert store.shutdown(60)


def test_a_reader_does_not_wait_for_a_writer(store, path, an_event):
    store.send(an_event())
    with locked(path):
        assert store.count() == 1


def test_a_table_that_was_dropped_comes_back(store, sql, an_event):
    store.send(an_event())
    store.save_event_type(EventType(name="a"))
    for table in ("events", "event_type_fields", "event_types"):
        sql(f"DROP TABLE {table}")
    with pytest.raises(RetryableError):
        store.send(an_event())
    store.send(an_event())
    store.save_event_type(EventType(name="a"))
    assert store.count() == 1
    assert [found.name for found in store.load_event_types()] == ["a"]


def test_one_event_that_is_refused_does_not_sink_its_batch(store, sql, an_event):
    store.send(an_event())
    sql(
        "CREATE TRIGGER no_poison BEFORE INSERT ON events WHEN new.name = 'poison' "
        "BEGIN SELECT raise(ABORT, 'never'); END"
    )
    events = [an_event() for _ in range(100)]
    events[40] = events[41] = an_event("poison")
    with pytest.raises(BatchError) as caught:
        store.send_batch(events, timeout=60)
    assert caught.value.failures.keys() == {40, 41}
    assert {type(error) for error in caught.value.failures.values()} == {RejectedError}
    assert store.count() == 1 + 98
    with pytest.raises(RejectedError, match="rejects the event"):
        store.send(events[40])


def test_an_error_shows_nothing_of_the_event(store, sql, an_event):
    store.send(an_event())
    sql("DROP TABLE events")
    with pytest.raises(RetryableError) as caught:
        store.send(an_event("secret-name", data={"password": "secret-word"}))
    assert "secret" not in str(caught.value)


def test_it_can_be_used_after_shutdown(store, path, an_event):
    store.send(an_event())
    assert store.shutdown(60)
    assert list(path.parent.iterdir()) == [path]
    store.send(an_event())
    assert store.count() == 2


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_taken_away_is_made_anew(store, path, an_event, replaced):
    store.send(an_event())
    path.rename(path.with_suffix(".old"))
    if replaced:
        path.touch()
    event = an_event()
    store.send(event)
    assert list(store.query()) == [event]


def test_a_path_that_cannot_be_made_says_so(tmp_path, an_event):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        SqliteBackend(str(tmp_path / "file" / "events.db")).send(an_event())
    with pytest.raises(OSError, match="Is a directory"):
        SqliteBackend(str(tmp_path)).send(an_event())


def test_shutdown_and_flush_end_in_time(path, an_event):
    """A thread that waits for the database is not waited for any longer than asked."""
    store = SqliteBackend(str(path), busy_timeout=30)
    store.send(an_event())
    with locked(path):
        thread = threading.Thread(target=store.send, args=(an_event(),))
        thread.start()
        while store.flush(0):
            pass
        assert not store.shutdown(0.01)
        with pytest.raises(RetryableError, match="another thread"):
            store.send_batch([an_event()], timeout=0.01)
    thread.join()
    assert store.shutdown(60)
    assert store.count() == 2
