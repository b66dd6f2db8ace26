"""Events that are sent when the transaction of their session commits."""

from __future__ import annotations

from contextlib import suppress

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from eventtracking_core import Tracker
from eventtracking_sqlalchemy import emit, in_session


class UndoneError(Exception):
    pass


@pytest.fixture
def engine(path):
    engine = create_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture(params=["node", "event"])
def say(request, memory):
    """Return a tracker, and a function that emits an event which waits for the commit."""
    tracker = Tracker()
    if request.param == "event":
        tracker.configure({"backends": {"memory": memory}})
        return tracker, lambda session, name, data=None: emit(
            name, data, session=session, on_commit=True, tracker=tracker
        )
    node = {"type": "sqlalchemy.on_commit", "backends": {"memory": memory}}
    tracker.configure({"backends": {"node": node}})
    return tracker, lambda session, name, data=None: emit(
        name, data, session=session, tracker=tracker
    )


def names(memory):
    return [event["name"] for event in memory.events]


def test_an_event_is_made_at_the_call_and_sent_at_the_commit(say, memory, engine):
    tracker, emit_in = say
    data = {"items": [1]}
    with Session(engine) as session, session.begin():
        with tracker.context(order=7):
            event_id = emit_in(session, "bought", data)
        data["items"].append(2)
        assert memory.events == []
    [event] = memory.events
    assert event["id"] == event_id
    assert event["data"] == {"items": [1]}
    assert event["context"] == {"order": 7}


def test_a_rollback_discards_the_events_of_the_transaction_or_the_savepoint(say, memory, engine):
    _, emit_in = say
    with Session(engine) as session:
        with session.begin():
            with suppress(UndoneError), session.begin_nested():
                emit_in(session, "inner")
                raise UndoneError
            with session.begin_nested():
                emit_in(session, "released")
                assert memory.events == []
            emit_in(session, "outer")
        with suppress(UndoneError), session.begin():
            emit_in(session, "undone")
            raise UndoneError
    assert names(memory) == ["released", "outer"]


def test_discarded_events_are_counted(memory, engine):
    tracker = Tracker()
    node = {"type": "sqlalchemy.on_commit", "backends": {"memory": memory}}
    tracker.configure({"backends": {"node": node}})
    with Session(engine) as session, session.begin():
        emit("a", session=session, tracker=tracker)
        session.rollback()
    session = Session(engine)
    emit("b", session=session, tracker=tracker)  # a session that never begins a transaction
    assert tracker.stats()["tree"]["backends"][0]["pending"] == 1
    session.close()
    del session
    [counted] = tracker.stats()["tree"]["backends"]
    assert (counted["dropped"], counted["pending"]) == ({"rolled_back": 2}, 0)
    assert memory.events == []


def test_outside_of_a_session_events_are_sent_at_once(memory, engine):
    tracker = Tracker()
    node = {"type": "sqlalchemy.on_commit", "backends": {"memory": memory}}
    tracker.configure({"backends": {"node": node}})
    with Session(engine) as session:
        with in_session(session):
            tracker.emit("waits")
        tracker.emit("alone")
        assert names(memory) == ["alone"]
        session.commit()
    assert names(memory) == ["alone", "waits"]
