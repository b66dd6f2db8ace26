"""`check --connect` reaches each backend, and says what it found."""

from __future__ import annotations

import json
import socket
import sqlite3

import pytest


@pytest.fixture
def check(run, tmp_path):
    def check(backends, *options):
        (tmp_path / "config.json").write_text(json.dumps({"backends": backends}))
        return run("check", "config.json", "--connect", *options)

    return check


@pytest.fixture
def silent():
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def refusing():
    """A port on which nothing listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        yield server.getsockname()[1]


def test_files_that_can_be_written_are_named_and_not_created(check, tmp_path):
    ran = check(
        {
            "log": {"type": "file", "path": "events.ndjson"},
            "inner": {"backends": {"store": {"type": "sqlite", "path": "events.db"}}},
            "here": "memory",
        }
    )

    assert ran.code == 0
    assert "log (file): ok: the file does not exist yet and can be created" in ran.out
    assert "inner.store (sqlite): ok: the file does not exist yet" in ran.out
    assert "here (memory): -: has nothing to connect to" in ran.out
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_a_file_that_cannot_be_written_is_a_failure(check, tmp_path):
    (tmp_path / "taken").write_text("")
    backends = {
        "log": {"type": "file", "path": "taken/events.ndjson"},
        "store": {"type": "sqlite", "path": "taken"},
    }
    ran = check(backends)

    assert ran.code == 1
    assert "log (file): FAILED: NotADirectoryError: Not a directory" in ran.out
    assert "store (sqlite): ok" in ran.out


def test_a_locked_database_is_a_failure(check, tmp_path):
    other = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    other.execute("CREATE TABLE t (c)")
    other.execute("BEGIN IMMEDIATE")
    ran = check({"store": {"type": "sqlite", "path": "events.db"}}, "--timeout", "0.5")
    other.close()

    assert ran.code == 1
    assert "store (sqlite): FAILED: " in ran.out


@pytest.mark.parametrize(
    "backend",
    [
        {
            "type": "http",
            "url": "http://127.0.0.1:PORT/hook",
            "username": "user",
            "password": "hunter2",
        },
        {"type": "segment", "write_key": "hunter2", "host": "http://127.0.0.1:PORT"},
        {"type": "mongo", "uri": "mongodb://user:hunter2@127.0.0.1:PORT"},
        {"type": "redis", "url": "redis://:hunter2@127.0.0.1:PORT"},
        {"type": "async_router", "broker": "redis://:hunter2@127.0.0.1:PORT"},
    ],
    ids=lambda backend: backend["type"],
)
@pytest.mark.once
@pytest.mark.parametrize("port", ["silent", "refusing"])
def test_a_server_that_cannot_be_reached_is_a_failure_in_time(backend, port, check, request):
    number = str(request.getfixturevalue(port))
    configured = {
        key: value.replace("PORT", number) if isinstance(value, str) else value
        for key, value in backend.items()
    }
    if backend["type"] == "async_router":
        configured["backends"] = {"here": "memory"}
    ran = check({"sink": configured}, "--timeout", "1", "--json")

    (probe,) = ran.json["backends"]
    assert (ran.code, ran.json["ok"], probe["ok"]) == (1, False, False)
    assert probe["type"] == (
        backend["type"] if backend["type"] != "async_router" else probe["type"]
    )
    assert "hunter2" not in ran.out + ran.err


def test_a_database_server_tells_its_version(check, mongo_uri):
    ran = check({"sink": {"type": "mongo", "uri": mongo_uri}})

    assert ran.code == 0
    assert "sink (mongo): ok: the primary server answers (MongoDB " in ran.out


def test_valkey_tells_its_version_as_sink_and_as_broker(check, redis_url):
    ran = check(
        {
            "stream": {"type": "redis", "url": redis_url},
            "remote": {"type": "async_router", "broker": redis_url, "backends": {"m": "memory"}},
        }
    )

    assert ran.code == 0
    assert "stream (redis): ok: the server answers (Redis " in ran.out
    assert "the broker accepts connections (redis)" in ran.out
