"""Events that belong to a transaction."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.db import transaction
from django.test import override_settings

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend


class UndoneError(Exception):
    pass


def undone(name):
    """Emit in a transaction, or a savepoint, that rolls back."""
    with suppress(UndoneError), transaction.atomic():
        et.emit(name)
        raise UndoneError


@pytest.fixture
def late(override, database):
    """The backend below a node that waits for the commit."""
    backend = MemoryBackend()
    override(EVENTTRACKING={"backends": {"late": on_commit(backend)}})
    return backend


def on_commit(backend, **options):
    return {"type": "django.on_commit", "backends": {"memory": backend}, **options}


def names(backend):
    return [event["name"] for event in backend.events]


def stats():
    [node] = et.get_tracker().stats()["tree"]["backends"]
    return node


def test_an_event_is_sent_when_its_transaction_commits(late):
    with transaction.atomic():
        et.emit("bought")
        assert names(late) == []
        assert stats()["pending"] == 1
    assert names(late) == ["bought"]
    assert stats()["pending"] == 0


def test_an_event_is_as_it_was_when_it_was_emitted(late):
    data = {"items": [1]}
    with transaction.atomic():
        with et.context(order=7):
            event_id = et.emit("bought", data)
        data["items"].append(2)
        et.emit("later")
    [bought, later] = late.events
    assert bought["id"] == event_id
    assert bought["data"] == {"items": [1]}
    assert bought["context"] == {"order": 7}
    assert bought["timestamp"] < later["timestamp"]


def test_an_event_of_a_transaction_that_rolls_back_is_discarded_and_counted(late):
    undone("bought")
    assert names(late) == []
    assert stats()["dropped"] == {"rolled_back": 1}
    assert stats()["pending"] == 0


def test_an_event_of_a_savepoint_that_rolls_back_is_discarded(late):
    with transaction.atomic():
        et.emit("outer")
        undone("inner")
        with transaction.atomic():
            et.emit("kept")
    assert names(late) == ["outer", "kept"]


def test_an_event_outside_of_a_transaction_is_sent_at_once(late):
    et.emit("alone")
    assert names(late) == ["alone"]


def test_another_database_can_be_named(override, database):
    backend = MemoryBackend()
    override(EVENTTRACKING={"backends": {"late": on_commit(backend, using="other")}})
    with transaction.atomic(using="default"):
        et.emit("first")
        assert names(backend) == ["first"]
    with transaction.atomic(using="other"):
        et.emit("second")
        assert names(backend) == ["first"]
    assert names(backend) == ["first", "second"]


def test_a_database_that_is_not_configured_is_a_problem_of_the_configuration():
    with pytest.raises(et.ConfigurationError, match="using: must be an alias in DATABASES"):
        et.Tracker().configure({"backends": {"late": on_commit("memory", using="none")}})


def test_a_node_without_backends_is_a_problem_of_the_configuration():
    with pytest.raises(et.ConfigurationError, match=r"backends.late.backends: is required"):
        et.Tracker().configure({"backends": {"late": {"type": "django.on_commit"}}})


def test_processors_and_delivery_of_the_node_are_those_of_a_router(override, database, tmp_path):
    backend = MemoryBackend()
    node = on_commit(
        backend,
        processors=[{"type": "name_allowlist", "names": ["kept"]}],
        delivery={"mode": "spool", "directory": str(tmp_path)},
    )
    override(EVENTTRACKING={"backends": {"late": node}})
    with transaction.atomic():
        et.emit("kept")
        et.emit("other")
    assert et.get_tracker().flush(60)
    assert names(backend) == ["kept"]
    assert stats()["backends"][0]["delivery"] == "spool"


def test_configuring_within_a_transaction_loses_no_event(late):
    new = MemoryBackend()
    with transaction.atomic():
        et.emit("bought")
        with override_settings(EVENTTRACKING={"backends": {"late": on_commit(new)}}):
            et.emit("again")
    # Settings were taken back before the commit: the events are where the tree is then.
    assert names(new) == []
    assert names(late) == ["bought", "again"]
