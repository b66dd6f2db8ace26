"""Events that are rows of the transaction they belong to."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

import eventtracking_core as et
from eventtracking_core import ConfigurationError, Tracker
from eventtracking_core.outbox import NotDeliveredError
from eventtracking_sqlalchemy import emit, in_session
from eventtracking_sqlalchemy.deliverer import tables
from eventtracking_sqlalchemy.schema import outbox


class UndoneError(Exception):
    pass


def names(backend):
    return [event["name"] for event in backend.events]


def rows(engine):
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(outbox))


def test_an_event_is_delivered_once_its_transaction_is_committed(
    configured, delivered, memory, engine, order
):
    tracker = configured(memory)
    with Session(engine) as session, session.begin():
        session.add(order("a"))
        event_id = emit("sold", {"members": {1, 2}}, session=session, tracker=tracker)
        assert rows(engine) == 0
    assert memory.events == []
    assert delivered(tracker) == 1
    assert [event["id"] for event in memory.events] == [event_id]
    assert sorted(memory.events[0]["data"]["members"]) == [1, 2]
    assert delivered(tracker) == rows(engine) == 0


def test_an_event_of_a_transaction_that_rolls_back_is_never_there(
    configured, delivered, memory, engine, order
):
    tracker = configured(memory)
    with suppress(UndoneError), Session(engine) as session, session.begin():
        session.add(order("a"))
        emit("undone", session=session, tracker=tracker)
        raise UndoneError
    with Session(engine) as session:  # closed without a commit
        session.add(order("b"))
        session.flush()
        emit("left", session=session, tracker=tracker)
    with Session(engine) as session, session.begin(), in_session(session):
        tracker.emit("outer")
        session.add(order("c"))
        session.flush()
        with suppress(UndoneError), session.begin_nested():
            tracker.emit("inner")
            with session.begin_nested():
                tracker.emit("released")
            raise UndoneError
        with session.begin_nested():
            tracker.emit("kept")
    delivered(tracker)
    assert sorted(names(memory)) == ["kept", "outer"]


def test_a_session_is_used_again_after_each_end(configured, delivered, memory, engine, order):
    tracker = configured(memory)
    with Session(engine) as session, in_session(session):
        tracker.emit("before.it.begins")
        session.add(order("a"))
        session.commit()
        session.add(order("b"))
        session.flush()
        tracker.emit("undone.too")
        session.rollback()
        tracker.emit("second")
        session.commit()
    delivered(tracker)
    assert names(memory) == ["before.it.begins", "second"]


def test_events_of_the_hooks_of_a_flush_are_written(configured, delivered, memory, engine, order):
    tracker = configured(memory)
    kind = type(order(""))

    def inserted(_mapper, _connection, target):
        tracker.emit("inserted", {"name": target.name})

    event.listen(kind, "after_insert", inserted)
    try:
        with Session(engine) as session, in_session(session), session.begin():
            session.add(order("a"))
    finally:
        event.remove(kind, "after_insert", inserted)
    delivered(tracker)
    assert names(memory) == ["inserted"]


def test_a_savepoint_that_is_left_open_takes_no_event_away(
    configured, delivered, memory, engine, order
):
    tracker = configured(memory)
    with Session(engine) as session, in_session(session), session.begin():
        tracker.emit("outer")
        session.add(order("a"))
        session.begin_nested()
        tracker.emit("inner")
    delivered(tracker)
    assert sorted(names(memory)) == ["inner", "outer"]


def test_events_outside_of_a_session_are_written_at_once(configured, delivered, memory, engine):
    tracker = configured(memory)
    tracker.emit("alone")
    assert rows(engine) == 1
    delivered(tracker)
    assert names(memory) == ["alone"]


def test_scoped_sessions_are_sessions(configured, delivered, memory, engine, order):
    tracker = configured(memory)
    session = scoped_session(sessionmaker(engine))
    session.add(order("a"))
    emit("sold", session=session, tracker=tracker)
    session.commit()
    session.remove()
    delivered(tracker)
    assert names(memory) == ["sold"]


def test_an_async_session_is_one_too(configured, delivered, memory, url, order):
    tracker = configured(memory)

    async def sell():
        engine = create_async_engine(
            url.replace("sqlite:", "sqlite+aiosqlite:").replace("pymysql", "asyncmy")
        )
        async with AsyncSession(engine) as session:
            async with session.begin():
                session.add(order("a"))
                emit("sold", session=session, tracker=tracker)
            with suppress(UndoneError), in_session(session):
                async with session.begin():
                    session.add(order("b"))
                    await session.flush()
                    tracker.emit("undone")
                    raise UndoneError
            with in_session(session):
                async with session.begin(), session.begin_nested():
                    tracker.emit("nested")
        await engine.dispose()

    asyncio.run(sell())
    delivered(tracker)
    assert names(memory) == ["sold", "nested"]


def test_a_table_that_is_missing_breaks_no_transaction(configured, memory, engine, order, caplog):
    name = f"outbox_{engine.name}"  # the same problem is logged once in a while only
    tracker = configured(memory, name=name)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE eventtracking_outbox RENAME TO gone"))
    try:
        with Session(engine) as session, session.begin():
            session.add(order("a"))
            emit("sold", session=session, tracker=tracker)
    finally:
        with engine.begin() as connection:
            assert connection.scalar(text("SELECT count(*) FROM orders")) == 1
            connection.execute(text("ALTER TABLE gone RENAME TO eventtracking_outbox"))
    [node] = tracker.stats()["tree"]["backends"]
    assert node["dropped"] == {"error": 1}
    assert f"sqlalchemy.outbox {name} did not take an event" in caplog.text


class Failing:
    """A backend that fails as often as it is told."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.events = []

    def send(self, event):
        if self.errors:
            raise self.errors.pop()
        self.events.append(event)


def test_an_outage_of_a_backend_is_waited_for_and_a_failed_batch_stays(
    configured, delivered, engine
):
    backend = Failing(*[et.RetryableError("later")] * 3)
    tracker = configured(backend)
    tracker.emit("a")
    assert delivered(tracker) == 1
    assert names(backend) == ["a"]
    failing = Failing(ConnectionError())
    tracker = configured(failing, delivery="inline")
    tracker.emit("b")
    with pytest.raises(NotDeliveredError):
        delivered(tracker)
    assert rows(engine) == 1
    assert delivered(tracker) == 1


def test_a_row_that_is_no_event_stays_and_stops_nobody(
    configured, delivered, memory, engine, caplog
):
    tracker = configured(memory)
    tracker.emit("a")
    with engine.begin() as connection:
        connection.execute(outbox.update().values(wire=b"\xc1"))
    tracker.emit("b")
    assert delivered(tracker) == 2
    assert delivered(tracker) == 0
    assert names(memory) == ["b"]
    assert rows(engine) == 1
    assert "stays: the row is no event" in caplog.text


def test_delivered_rows_can_be_kept_for_a_while(configured, delivered, memory, engine):
    tracker = configured(memory, keep="1 h")
    tracker.emit("a")
    assert delivered(tracker) == 1
    assert delivered(tracker) == 0
    [table] = tables(tracker)
    assert table.prune() == 0
    with engine.begin() as connection:
        connection.execute(text("UPDATE eventtracking_outbox SET delivered = '2020-01-01 00:00'"))
    assert table.prune() == 1


@pytest.mark.parametrize("url", ["nonsense", "sqlite+aiosqlite:///x.db", "none://secret@host/x"])
def test_a_wrong_url_is_a_problem_of_the_configuration(url):
    node = {"type": "sqlalchemy.outbox", "url": url, "backends": {"sink": "null"}}
    with pytest.raises(ConfigurationError, match=r"backends\.o(: |\.)url") as caught:
        Tracker().configure({"backends": {"o": node}})
    assert "secret" not in str(caught.value)
