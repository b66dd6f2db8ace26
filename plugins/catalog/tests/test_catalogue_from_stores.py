"""What stores tell of their event types: records, counts, and their latest events."""

from __future__ import annotations

from datetime import datetime

import pytest

from eventtracking_catalog.sources import Sources, collect_catalogue
from eventtracking_core.plugins import plugins


@pytest.fixture
def event(an_event):
    def event(*args, **fields):
        made = an_event(*args, **fields)
        return {**made, "timestamp": datetime.fromisoformat(made["timestamp"])}

    return event


@pytest.fixture(params=["sqlite", "mongo"])
def store(request, tmp_path, mongo_uri, mongo_database):
    """A store: how it is named as a source, and the backend that writes to it."""
    if request.param == "sqlite":
        name, options = str(tmp_path / "e.db"), {"path": str(tmp_path / "e.db")}
    else:
        address, _, options = mongo_uri.partition("/?")
        name = f"{address}/{mongo_database.name}?{options}"
        options = {"uri": name}
    backend = plugins.find("backend", request.param)(**options)
    yield name, backend
    backend.shutdown(5)


def test_records_counts_and_fields_come_from_the_store(store, event, a_record):
    name, backend = store
    old, new = a_record(fields={"total": {}}, at=1), a_record(fields={"sum": {}}, at=2)
    for record in (new, old):
        backend.save_event_type(record)
    events = [event(data={"sum": number}) for number in range(3)]
    backend.send_batch([*events, event("shop.[x]*.left")], timeout=60)
    catalogue = collect_catalogue([name])
    entry = catalogue.entries["shop.order.placed"]
    assert entry.versions == (old, new)
    assert entry.timeline.total == 3
    assert [(row.doc.name, row.seen) for row in entry.fields] == [("sum", 3)]
    assert catalogue.entries["shop.[x]*.left"].timeline.total == 1
    assert name not in catalogue.sources


def test_counts_follow_the_store(store, event):
    name, backend = store
    backend.send_batch([event()], timeout=60)
    with Sources([name]) as sources:
        assert sources.counts() == {"shop.order.placed": 1}
        backend.send_batch([event()], timeout=60)
        assert sources.counts() == {"shop.order.placed": 2}


def test_the_store_of_a_configuration_comes_with_its_routing_tree(tmp_path, event, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "et.toml"
    config.write_text('[backends.a]\ntype = "sqlite"\npath = "e.db"\n')
    backend = plugins.find("backend", "sqlite")(path="e.db")
    backend.send_batch([event()], timeout=60)
    backend.shutdown(5)
    for catalogue in (collect_catalogue([str(config)]), collect_catalogue([], config)):
        assert catalogue.entries.keys() == {"shop.order.placed"}
        assert [child["name"] for child in catalogue.routing["backends"]] == ["a"]
