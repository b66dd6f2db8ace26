"""The outbox on PostgreSQL, MariaDB and SQLite, with processes that are killed at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import django
import pytest
from waiting import wait_until

pytestmark = pytest.mark.once

HERE = Path(__file__).parent

PRODUCER = """
import sys, time, django
django.setup()
from django.contrib.auth.models import Group
from django.db import transaction
import eventtracking_core as et
part, n = sys.argv[1], 0
while True:
    n += 1
    name = f"{part}-{n}"
    try:
        with transaction.atomic():
            Group.objects.create(name=name)
            et.emit("created", {"name": name})
            if n % 3 == 0:
                raise LookupError
    except LookupError:
        pass
    time.sleep(0.002)  # SQLite has one writer, and the deliverers must get a turn
"""


class Project:
    """Processes of one project, whose events go through an outbox into SQLite."""

    def __init__(self, directory, database):
        self.directory = directory
        self.sink = directory / "events.db"
        node = {
            "type": "django.outbox",
            "backends": {"sink": {"type": "sqlite", "path": str(self.sink)}},
        }
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "shop_settings",
            "PYTHONPATH": str(HERE),
            "PYTHONWARNINGS": "ignore",
            "SHOP_DATABASE": json.dumps(database),
            "SHOP_EVENTTRACKING": json.dumps({"backends": {"outbox": node}}),
        }
        self.processes = []
        self.manage("migrate", "--verbosity", "0")

    def manage(self, *words):
        subprocess.run(
            [sys.executable, "-m", "django", *words],
            cwd=self.directory,
            env=self.environment,
            check=True,
            timeout=100,
        )

    def start(self, *words):
        log = (self.directory / "log").open("ab")
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=self.directory,
            env=self.environment,
            stdout=log,
            stderr=log,
        )
        log.close()
        self.processes.append(process)
        return process

    def deliverer(self):
        return self.start(
            *("-m", "django", "eventtracking", "deliver", "--interval", "0.05"),
            *("--batch-size", "20"),
        )

    def stored(self):
        if not self.sink.exists():
            return []
        connection = sqlite3.connect(self.sink, timeout=30)
        with suppress(sqlite3.OperationalError), closing(connection) as database:
            return [json.loads(text) for (text,) in database.execute("SELECT event FROM events")]
        return []

    def more_are_stored(self, number):
        wait_until(lambda: len(self.stored()) >= number, 60)

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


def committed(settings):
    """Return the names in the table of the data."""
    query = "SELECT name FROM auth_group"
    if "sqlite" in settings["ENGINE"]:
        with closing(sqlite3.connect(settings["NAME"])) as database:
            return {name for (name,) in database.execute(query)}
    if "mysql" in settings["ENGINE"]:
        import pymysql

        with (
            pymysql.connect(
                host=settings["HOST"],
                port=settings["PORT"],
                user=settings["USER"],
                database=settings["NAME"],
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(query)
            return {name for (name,) in cursor.fetchall()}
    import psycopg

    with psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], user=settings["USER"], dbname=settings["NAME"]
    ) as connection:
        return {name for (name,) in connection.execute(query)}


def check(tmp_path, settings, rounds):
    project = Project(tmp_path, settings)
    try:
        for number in range(rounds):
            # Each round kills the producer, and the deliverers of the round, at some moment.
            before = len(project.stored())
            running = [project.start("-c", PRODUCER, str(number))]
            running += [project.deliverer() for _ in range(2)]
            project.more_are_stored(before + random.randrange(20, 60))
            random.shuffle(running)
            for process in running:
                process.send_signal(signal.SIGKILL)
                process.wait()
        project.manage("eventtracking", "deliver", "--once")
    finally:
        project.end()
    events = project.stored()
    names = [event["data"]["name"] for event in events]
    rolled_back = [name for name in names if int(name.partition("-")[2]) % 3 == 0]
    expected = committed(settings)
    twice = len(names) - len(set(names))
    print(
        f"{rounds} rounds: {len(expected)} committed, {len(set(names))} stored,"
        f" {len(rolled_back)} of a rollback, {twice} twice"
    )
    assert len({event["id"] for event in events}) == len(events)
    assert twice == 0
    assert set(names) == expected
    assert rolled_back == []


def sqlite_settings(tmp_path):
    immediate = {"transaction_mode": "IMMEDIATE"} if django.VERSION >= (5, 1) else {}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path / "shop.db"),
        "OPTIONS": {"timeout": 60, **immediate},
    }


@pytest.mark.timeout(300)
def test_on_postgresql_what_is_committed_is_stored_once_whoever_is_killed(tmp_path, postgres):
    check(tmp_path, postgres.settings(), rounds=1)


@pytest.mark.timeout(300)
def test_on_mariadb_what_is_committed_is_stored_once_whoever_is_killed(tmp_path, mariadb):
    check(tmp_path, mariadb.settings("shop"), rounds=1)


@pytest.mark.timeout(300)
def test_on_sqlite_what_is_committed_is_stored_once_whoever_is_killed(tmp_path):
    check(tmp_path, sqlite_settings(tmp_path), rounds=1)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_ten_rounds_on_postgresql_lose_and_repeat_nothing(tmp_path, postgres):
    check(tmp_path, postgres.settings(), rounds=10)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_ten_rounds_on_mariadb_lose_and_repeat_nothing(tmp_path, mariadb):
    check(tmp_path, mariadb.settings("rounds"), rounds=10)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_ten_rounds_on_sqlite_lose_and_repeat_nothing(tmp_path):
    check(tmp_path, sqlite_settings(tmp_path), rounds=10)
