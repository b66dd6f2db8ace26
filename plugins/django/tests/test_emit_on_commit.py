"""Single events that belong to a transaction, whatever the configuration."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.db import transaction
from django.test import override_settings

import eventtracking_core as et
import eventtracking_django
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_django import DjangoTracker


class UndoneError(Exception):
    pass


@pytest.fixture(params=["function", "tracker"])
def emit(request, memory, database):
    if request.param == "function":
        return eventtracking_django.emit
    return DjangoTracker().emit


def test_an_event_is_made_at_the_call_and_sent_at_the_commit(emit, memory):
    data = {"items": [1]}
    with transaction.atomic():
        with et.context(order=7):
            event_id = emit("bought", data, on_commit=True)
        data["items"].append(2)
        assert memory.events == []
        now = emit("now")
    assert [event["name"] for event in memory.events] == ["now", "bought"]
    bought = memory.events[1]
    assert bought["id"] == event_id
    assert event_id < now
    assert bought["data"] == {"items": [1]}


def test_the_context_of_the_call_is_kept(memory, database):
    with transaction.atomic(), et.context(order=7):
        eventtracking_django.emit("bought", on_commit=True)
    assert memory.events[0]["context"] == {"order": 7}


def test_a_rollback_discards_the_events_of_the_transaction_or_the_savepoint(emit, memory):
    with transaction.atomic():
        with suppress(UndoneError), transaction.atomic():
            emit("inner", on_commit=True)
            raise UndoneError
        emit("outer", on_commit=True)
    with suppress(UndoneError), transaction.atomic():
        emit("undone", on_commit=True)
        raise UndoneError
    assert [event["name"] for event in memory.events] == ["outer"]


def test_the_database_can_be_named(emit, memory, caplog):
    with transaction.atomic(using="other"):
        emit("other", on_commit=True, using="other")
        emit("default", on_commit=True)
        emit("nowhere", on_commit=True, using="none")
        assert [event["name"] for event in memory.events] == ["default", "nowhere"]
    assert memory.events[-1]["name"] == "other"
    assert "there is no database 'none': an event is sent at once" in caplog.text


def test_an_event_that_waits_is_sent_to_what_is_configured_at_the_commit(memory, database):
    new = MemoryBackend()
    old = override_settings(EVENTTRACKING={"backends": {"old": "memory"}})
    with override_settings(EVENTTRACKING={"backends": {"new": new}}), transaction.atomic(), old:
        eventtracking_django.emit("bought", on_commit=True)
    assert [event["name"] for event in new.events] == ["bought"]
