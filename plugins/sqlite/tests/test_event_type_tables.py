"""Records of event types, in tables beside the events."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest

from eventtracking_core import EventType, FieldDoc, RetryableError

WHEN = datetime(2026, 9, 12, 12, 55, tzinfo=UTC)

SAVING = """
import sys
from datetime import UTC, datetime
from eventtracking_core import EventType, FieldDoc
from eventtracking_sqlite import SqliteBackend

store = SqliteBackend(sys.argv[1], busy_timeout=30)
sys.stdin.readline()
for n in range(20):
    record = EventType(name=f"a.b{n}", fields=(FieldDoc("x"), FieldDoc("y")))
    store.save_event_type(record.at(datetime(2026, 1, 1, tzinfo=UTC), ()))
"""


def a_record(description="An answer was shown for a problem"):
    return EventType(
        name="edx.problem.show_answer",
        description=description,
        fields=(FieldDoc("problem_id", "A unique problem identifier", type="string"),),
        context_fields=(FieldDoc("course_id", "A unique course identifier", pii="id"),),
    ).at(WHEN, ["app.py:7 in show", "views.py:9 in answer"])


def test_the_tables_say_what_the_original_design_lets_them_say(store, sql):
    store.save_event_type(a_record())

    assert sql("SELECT id, name, description, registered_at, stack_trace FROM event_types") == [
        (
            *(a_record().id, "edx.problem.show_answer", "An answer was shown for a problem"),
            *("2026-09-12T12:55:00Z", "app.py:7 in show\nviews.py:9 in answer"),
        )
    ]
    columns = "event_type_id, part, name, description, pii"
    assert sql(f"SELECT {columns} FROM event_type_fields ORDER BY part") == [
        (a_record().id, "context", "course_id", "A unique course identifier", "id"),
        (a_record().id, "data", "problem_id", "A unique problem identifier", None),
    ]


def test_an_event_finds_its_record_in_sql(store, sql, an_event):
    old, new = a_record(), a_record("It was shown.")
    for record in (old, new):
        store.save_event_type(record)
        store.send(an_event(record.name, name_id=record.id))

    described = "SELECT t.description FROM events e JOIN event_types t ON t.id = e.name_id"
    assert sql(f"{described} ORDER BY e.id") == [(old.description,), (new.description,)]


def test_processes_that_save_at_once_store_each_record_once(store, path, sql):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SAVING, str(path)], stdin=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        process.communicate("\n", timeout=60)

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sql("SELECT count(*) FROM event_types") == [(20,)]
    assert sql("SELECT count(*) FROM event_type_fields") == [(40,)]
    assert len(list(store.load_event_types())) == 20


def test_a_locked_store_is_to_be_tried_again(store, path):
    store.save_event_type(a_record())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RetryableError, match="locked"):
            store.save_event_type(a_record("Another."))
        other.rollback()
    store.save_event_type(a_record("Another."))

    assert len(list(store.load_event_types())) == 2
