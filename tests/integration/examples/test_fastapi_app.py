"""The FastAPI example of the documentation, on uvicorn: its events are in SQLite and MongoDB."""

from __future__ import annotations

from collections import Counter
from uuid import uuid4

import pymongo
import pytest

UVICORN = ("-m", "uvicorn", "app:app", "--port", "PORT")


@pytest.fixture
def notes(example, mongo_uri, tmp_path):
    """The example in production, with a MongoDB database of its own."""
    name = f"notes_{uuid4().hex}"
    notes = example(
        "fastapi-app",
        EVENTTRACKING_CONFIG_FILE="production.toml",
        EVENTTRACKING_SPOOL_DIRECTORY=str(tmp_path / "spool"),
        NOTES_MONGO_URI=mongo_uri,
    )
    config = notes.directory / "production.toml"
    config.write_text(config.read_text().replace('database = "notes"', f'database = "{name}"'))
    with pymongo.MongoClient(mongo_uri) as client:
        notes.warehouse = client[name]["events"]
        yield notes
        client.drop_database(name)


def test_sigterm_leaves_every_event_with_its_user_in_both_stores(notes):
    server, client = notes.serve(*UVICORN)
    for user in ("ada", "bob"):
        client.headers["authorization"] = f"Bearer token-of-{user}"
        assert client.post("/notes", json={"text": "private"}).status_code == 201
    assert client.get("/notes.txt").text == "ada: private\nbob: private\n"
    client.headers["authorization"] = "Bearer forged"
    assert client.post("/notes", json={"text": "private"}).status_code == 401
    server.end()
    stored = notes.stored()
    assert Counter((each["name"], each["context"].get("user_id")) for each in stored) == {
        ("notes.service.started", None): 1,
        ("notes.note.added", "ada"): 1,
        ("notes.note.indexed", "ada"): 1,
        ("notes.note.added", "bob"): 1,
        ("notes.note.indexed", "bob"): 1,
        ("notes.exported", "bob"): 1,
        ("notes.service.stopped", None): 1,
    }
    warehouse = list(notes.warehouse.find().sort("_id"))
    assert [each["_id"] for each in warehouse] == [each["id"] for each in stored]
    assert [each["context"] for each in warehouse] == [each["context"] for each in stored]
    assert "private" not in str(warehouse)
