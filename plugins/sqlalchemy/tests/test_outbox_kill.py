"""The outbox with processes that are killed at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

import pytest
from sqlalchemy import text
from waiting import wait_until

pytestmark = pytest.mark.once

PRODUCER = """
import sys, time
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
import eventtracking_core as et
from eventtracking_sqlalchemy import in_session
config, url, part = sys.argv[1:]
et.configure(config)
engine, n = create_engine(url), 0
while True:
    n += 1
    name = f"{part}-{n}"
    try:
        with Session(engine) as session, session.begin(), in_session(session):
            session.execute(text("INSERT INTO orders (name) VALUES (:name)"), {"name": name})
            et.emit("created", {"name": name})
            if n % 3 == 0:
                raise LookupError
    except LookupError:
        pass
    time.sleep(0.002)  # SQLite has one writer, and the deliverers must get a turn
"""


class Shop:
    """Processes whose events go through an outbox into SQLite."""

    def __init__(self, directory, url):
        self._directory = directory
        self._sink = directory / "events.db"
        self._url = url
        sink = {"type": "sqlite", "path": str(self._sink)}
        node = {"type": "sqlalchemy.outbox", "url": url, "backends": {"sink": sink}}
        self._config = directory / "config.yaml"
        self._config.write_text(json.dumps({"backends": {"outbox": node}}))
        self._processes = []

    def _start(self, *words):
        with (self._directory / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *words], cwd=self._directory, stdout=log, stderr=log
            )
        self._processes.append(process)
        return process

    def producer(self, part):
        return self._start("-c", PRODUCER, os.fspath(self._config), self._url, part)

    def deliverer(self, *options):
        command = ("-m", "eventtracking_sqlalchemy", "--config", os.fspath(self._config))
        return self._start(*command, "--interval", "0.05", "--batch-size", "20", *options)

    def stored(self):
        if not self._sink.exists():
            return []
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(self._sink)) as sink:
            return [json.loads(event) for (event,) in sink.execute("SELECT event FROM events")]
        return []

    def more_are_stored(self, number):
        wait_until(lambda: len(self.stored()) >= number, 60)

    def end(self):
        for process in self._processes:
            process.kill()
            process.wait()


def check(tmp_path, engine, url, rounds):
    shop = Shop(tmp_path, url)
    try:
        for number in range(rounds):
            before = len(shop.stored())
            running = [shop.producer(str(number)), shop.deliverer(), shop.deliverer()]
            shop.more_are_stored(before + random.randrange(20, 60))
            random.shuffle(running)
            for process in running:
                process.send_signal(signal.SIGKILL)
                process.wait()
        assert shop.deliverer("--once").wait(60) == 0
    finally:
        shop.end()
    with engine.connect() as connection:
        committed = set(connection.scalars(text("SELECT name FROM orders")))
    names = [event["data"]["name"] for event in shop.stored()]
    rolled_back = [name for name in names if int(name.partition("-")[2]) % 3 == 0]
    twice = len(names) - len(set(names))
    print(
        f"{rounds} rounds: {len(committed)} committed, {len(set(names))} stored,"
        f" {len(rolled_back)} of a rollback, {twice} twice"
    )
    assert twice == 0
    assert set(names) == committed
    assert rolled_back == []


@pytest.mark.timeout(300)
def test_what_is_committed_is_stored_once_whoever_is_killed(tmp_path, engine, url):
    check(tmp_path, engine, url, rounds=1)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_ten_rounds_of_kills_lose_and_repeat_nothing(tmp_path, engine, url):
    check(tmp_path, engine, url, rounds=10)
