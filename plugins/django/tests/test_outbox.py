"""Events that are rows of the transaction they belong to."""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import signal
from contextlib import suppress

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.test import AsyncClient, Client

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.outbox import deliver
from eventtracking_django.deliverer import tables
from eventtracking_django.models import DeadLetter, OutboxEvent
from eventtracking_web import collector


class UndoneError(Exception):
    pass


class Failing:
    """A backend that fails as often as it is told."""

    def __init__(self):
        self.errors = []
        self.events = []

    def send(self, event):
        if self.errors:
            raise self.errors.pop()
        self.events.append(event)


@pytest.fixture
def configured(override, database, tmp_path):
    """Configure an outbox before a backend."""

    def configure(backend, **options):
        node = {
            "type": "django.outbox",
            "backends": {"sink": backend},
            "delivery": {"directory": str(tmp_path), "initial_interval": 0.01},
        }
        override(EVENTTRACKING={"backends": {"outbox": node | options}})
        return backend

    return configure


def names(backend):
    return [event["name"] for event in backend.events]


def delivered():
    [table] = tables()
    return deliver(table, timeout=60)


def test_an_event_is_delivered_once_its_transaction_is_committed(configured):
    backend = configured(MemoryBackend())
    with transaction.atomic():
        Group.objects.create(name="staff")
        event_id = et.emit("grouped", {"name": "staff", "members": {1, 2}})
    assert et.get_tracker().flush(60)
    assert backend.events == []
    assert delivered() == 1
    [event] = backend.events
    assert event["id"] == event_id
    assert sorted(event["data"]["members"]) == [1, 2]
    assert not OutboxEvent.objects.exists()
    assert delivered() == 0


def test_an_event_of_a_transaction_that_rolls_back_is_never_there(configured):
    configured(MemoryBackend())
    with suppress(UndoneError), transaction.atomic():
        et.emit("grouped")
        raise UndoneError
    with transaction.atomic():
        with suppress(UndoneError), transaction.atomic():
            et.emit("inner")
            raise UndoneError
        et.emit("outer")
    assert [row.name for row in OutboxEvent.objects.all()] == ["outer"]


def test_an_event_of_async_code_is_written_too(configured):
    configured(MemoryBackend())
    asyncio.run(AsyncClient().get("/async/orders/7/"))
    [row] = OutboxEvent.objects.all()
    assert row.event["context"]["path"] == "/async/orders/7/"


def test_a_table_that_is_missing_breaks_no_transaction(configured, caplog):
    configured(MemoryBackend())
    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE eventtracking_outboxevent RENAME TO gone")
    with transaction.atomic():
        et.emit("grouped")
        Group.objects.create(name="staff")
    assert Group.objects.count() == 1
    [node] = et.get_tracker().stats()["tree"]["backends"]
    assert node["dropped"] == {"error": 1}
    assert "django.outbox outbox did not take an event: OperationalError" in caplog.text


def test_an_endpoint_for_browsers_accepts_nothing_that_the_outbox_could_not_write(configured):
    backend = configured(MemoryBackend())
    endpoint = collector(keys={"public": []}, origins=["*"]).wsgi
    body = b'{"key": "public", "events": [{"id": "1", "name": "shown"}]}'
    statuses = []

    def ask():
        environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "text/plain", "QUERY_STRING": ""}
        environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
        endpoint(environ, lambda line, _headers: statuses.append(line[:3]))

    ask()
    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE eventtracking_outboxevent RENAME TO gone")
        ask()
        cursor.execute("ALTER TABLE gone RENAME TO eventtracking_outboxevent")
    ask()
    assert statuses == ["200", "503", "200"]
    assert delivered() == 2
    assert {event["name"] for event in backend.events} == {"shown"}


def test_an_outage_of_a_backend_is_waited_for(configured):
    backend = configured(Failing())
    backend.errors = [et.RetryableError("later")] * 3
    et.emit("a")
    assert delivered() == 1
    assert names(backend) == ["a"]


def test_a_refused_event_becomes_a_dead_letter_that_can_be_replayed(configured):
    backend = configured(Failing())
    backend.errors = [et.RejectedError("no")]
    et.emit("refused")
    et.emit("taken")
    assert delivered() == 2
    assert names(backend) == ["taken"]
    letter = DeadLetter.objects.get()
    assert (letter.name, letter.backend, letter.reason) == ("refused", "outbox.sink", "rejected")
    letter.replay()
    assert not DeadLetter.objects.exists()
    assert delivered() == 1
    assert names(backend) == ["taken", "refused"]


def test_a_replay_for_a_backend_that_is_gone_is_a_dead_letter_again(configured):
    configured(MemoryBackend())
    et.emit("a")
    OutboxEvent.objects.update(backend="outbox.other")
    assert delivered() == 1
    assert DeadLetter.objects.get().error == "the backend is not configured"


def test_the_rows_of_a_batch_that_fails_inline_stay(configured, capsys):
    backend = configured(Failing(), delivery="inline")
    backend.errors = [ConnectionError()]
    et.emit("a")
    with pytest.raises(CommandError, match="its backends did not take every event within 60 s"):
        call_command("eventtracking", "deliver", "--once")
    assert OutboxEvent.objects.count() == 1
    call_command("eventtracking", "deliver", "--once")
    assert names(backend) == ["a"]


def test_a_table_that_is_missing_is_explained_to_who_delivers(configured):
    configured(MemoryBackend())
    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE eventtracking_outboxevent RENAME TO gone")
    with pytest.raises(CommandError, match=r"missing in the database default: run manage\.py mig"):
        call_command("eventtracking", "deliver", "--once")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_deliverer_after_its_batch(configured, capsys, number):
    class Interrupting(MemoryBackend):
        def send(self, event):
            super().send(event)
            os.kill(os.getpid(), number)

    backend = configured(Interrupting())
    former = signal.getsignal(number)
    et.emit("a")
    call_command("eventtracking", "deliver")
    assert names(backend) == ["a"]
    assert capsys.readouterr().out == "1 events left the outbox\n"
    assert signal.getsignal(number) is former


def test_the_list_of_dead_letters_counts_those_of_the_outbox(configured, capsys):
    backend = configured(Failing())
    backend.errors = [et.RejectedError("no")]
    et.emit("refused")
    assert delivered() == 1
    call_command("eventtracking", "deadletters", "list")
    assert "1 dead letters of the outbox are in the database default" in capsys.readouterr().err


def test_delivered_rows_can_be_kept_for_a_while(configured):
    backend = configured(MemoryBackend(), keep="1 h")
    et.emit("a")
    assert delivered() == 1
    assert delivered() == 0
    assert names(backend) == ["a"]
    [table] = tables()
    assert table.prune() == 0
    OutboxEvent.objects.update(delivered="2020-01-01T00:00:00Z")
    assert table.prune() == 1


def test_a_database_without_skip_locked_has_one_deliverer(configured):
    configured(MemoryBackend())
    et.emit("a")
    name = connections["default"].settings_dict["NAME"]
    lock = os.open(f"{name}-outbox.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CommandError, match="another process delivers"):
            call_command("eventtracking", "deliver", "--once")
    finally:
        os.close(lock)
    call_command("eventtracking", "deliver", "--once")
    assert not OutboxEvent.objects.exists()


def test_a_project_without_an_outbox_has_nothing_to_deliver(memory):
    with pytest.raises(CommandError, match=r"no backend of the type django\.outbox"):
        call_command("eventtracking", "deliver")


def logged_in(*permissions):
    user = get_user_model().objects.create_user("ada", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_the_admin_shows_events_and_escapes_their_markup(configured):
    configured(MemoryBackend())
    et.emit("<b>bold</b>", {"text": "<script>alert(1)</script>"})
    row = OutboxEvent.objects.get()
    client = logged_in("view_outboxevent")
    listed = client.get("/admin/eventtracking/outboxevent/").content.decode()
    shown = client.get(f"/admin/eventtracking/outboxevent/{row.pk}/change/").content.decode()
    assert "&lt;b&gt;bold" in listed
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert(1)" not in shown
    assert client.post(f"/admin/eventtracking/outboxevent/{row.pk}/delete/").status_code == 403


def test_the_admin_replays_dead_letters_for_those_who_may(configured):
    backend = configured(Failing())
    backend.errors = [et.RejectedError("no")]
    et.emit("refused")
    delivered()
    chosen = {"action": "replay", "_selected_action": [DeadLetter.objects.get().pk]}
    url = "/admin/eventtracking/deadletter/"
    client = logged_in("view_deadletter")
    client.post(url, chosen)
    assert DeadLetter.objects.count() == 1
    get_user_model().objects.all().delete()
    logged_in("view_deadletter", "replay_deadletter").post(url, chosen)
    assert not DeadLetter.objects.exists()
    assert delivered() == 1
    assert names(backend) == ["refused"]


def test_the_migrations_are_complete(database):
    call_command("makemigrations", "eventtracking", check=True, dry_run=True, verbosity=0)
