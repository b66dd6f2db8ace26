"""Events in objects, in a directory."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventtracking_core.encoding import decode_json, encode_json
from eventtracking_core.logs import LogFiles
from eventtracking_core.testing import (
    EventStoreConformance,
    MetadataStoreConformance,
)
from eventtracking_objects import ObjectsBackend

pytestmark = pytest.mark.drivers

NAMES = st.text(min_size=1, max_size=300) | st.sampled_from(["..", ".", "/", "../../x", "~", "%2F"])


def ids(events):
    return sorted(event["id"] for event in events)


def lines(path):
    return [decode_json(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_a_batch_is_an_object_in_each_directory(directory, keys, send, an_event):
    events = [an_event(n=n) for n in range(3)]
    other = an_event("shop.order.paid", at=datetime(2026, 1, 2, 23, 59, tzinfo=UTC))
    send(ObjectsBackend(str(directory)), *events, other)
    paid, placed = keys()
    assert paid.startswith(
        f"events/name=shop.order.paid/date=2026-01-02/{other['id']}_{other['id']}_"
    )
    assert placed.startswith("events/name=shop.order.placed/date=2026-09-12/")
    assert placed.endswith(".ndjson.gz")
    assert lines(directory / placed) == events


def test_the_environment_may_name_the_server(s3, send, an_event, monkeypatch):
    for name, value in s3.options().items():
        monkeypatch.setenv(f"AWS_{name.upper()}", value)
    s3.make_bucket("of-the-environment")
    store, event = ObjectsBackend("s3://of-the-environment/lake"), an_event()
    send(store, event)
    assert store.get(event["id"]) == event
    store.shutdown(5)


@pytest.mark.parametrize(
    ("options", "suffix"),
    [
        ({"compression": "none"}, ".ndjson"),
        ({"compression": "gzip"}, ".ndjson.gz"),
        ({"compression": "zstd"}, ".ndjson.zst"),
        ({"format": "parquet"}, ".parquet"),
    ],
)
def test_what_is_sent_is_read(options, suffix, directory, send, an_event):
    events = [an_event(n=n, text="Ärger\n\ud800", context={"a": [1.5]}) for n in range(30)]
    store = ObjectsBackend(str(directory), **options)
    send(store, *events)
    (path,) = directory.rglob(f"*{suffix}")
    read = [decode_json(encode_json(event)) for event in events]
    assert list(store.query()) == read
    if suffix != ".parquet":  # lines are a log like any other
        assert list(LogFiles([path]).query()) == read


ENDING = """
import sys
from eventtracking_core import Tracker

delivery = {"mode": "queue", "directory": sys.argv[2]}
tracker = Tracker()
sink = {"type": "objects", "uri": sys.argv[1], "delivery": delivery}
tracker.configure({"backends": {"sink": sink}})
for n in range(500):
    tracker.emit("numbered", {"n": n, "text": "x" * 1000})
"""


def test_a_large_object_is_stored_while_the_interpreter_ends(directory, tmp_path):
    command = [sys.executable, "-c", ENDING, str(directory), str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, timeout=60, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ObjectsBackend(str(directory)).count() == 500


def test_the_same_events_are_one_object(directory, keys, send, an_event):
    events = [an_event(n=n) for n in range(10)]
    send(ObjectsBackend(str(directory)), *events)
    before = keys()
    send(ObjectsBackend(str(directory)), *events)
    send(ObjectsBackend(str(directory)), *events[::-1], *events)
    assert keys() == before


def test_an_event_that_another_process_stored_is_not_stored_again(directory, keys, send, an_event):
    events = [an_event(n=n) for n in range(10)]
    send(ObjectsBackend(str(directory)), *events[:6])
    send(ObjectsBackend(str(directory)), *events[3:])  # another process, which sends other batches
    (_, second) = keys()
    assert ids(lines(directory / second)) == ids(events[6:])
    send(ObjectsBackend(str(directory)), events[2])
    assert len(keys()) == 2


def test_an_event_that_comes_alone_is_looked_for(directory, keys, send, an_event):
    store, other = ObjectsBackend(str(directory)), ObjectsBackend(str(directory))
    send(other, an_event())
    events = [an_event(n=n) for n in range(10)]  # made when both had begun
    send(store, *events)
    send(other, events[4])
    assert len(keys()) == 2


def test_an_event_in_two_objects_is_found_once(directory, keys, send, an_event):
    events = [an_event(n=n) for n in range(10)]
    send(ObjectsBackend(str(directory)), *events)
    send(ObjectsBackend(str(directory), format="parquet"), *events)
    store = ObjectsBackend(str(directory))
    (key, *_) = keys()
    text = gzip.decompress((directory / key).read_bytes()).splitlines(keepends=True)
    again = key.replace(key[-42:-10], "0" * 32)
    (directory / again).write_bytes(gzip.compress(b"".join(text[:5])))
    assert ids(store.query()) == ids(events)
    assert store.count() == 10
    assert store.count_by("name") == [("shop.order.placed", 10)]
    assert list(store.query(after=events[3]["id"])) == events[4:]
    assert list(store.query(after=events[3]["id"], newest_first=True, limit=2)) == events[:7:-1]


@given(name=NAMES, org=NAMES)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_leads_out_of_the_directory(tmp_path, send, an_event, name, org):
    directory = tmp_path / "lake" / "deep"
    store = ObjectsBackend(str(directory), path="events/{context.org}/name={name}")
    event = an_event(name, context={"org": org})
    before = store.count() if directory.exists() else 0
    send(store, event)
    assert store.count() == before + 1
    assert {path.name for path in tmp_path.iterdir()} == {"lake"}
    assert {path.name for path in directory.parent.iterdir()} == {"deep"}
    assert {path.name for path in directory.iterdir()} == {"events"}
    assert all(len(found.relative_to(directory).parts) == 4 for found in directory.rglob("*.gz"))
    assert event["id"] in ids(store.query(name=name.replace("*", "?")))


def test_a_missing_value_is_hives_null(directory, keys, send, an_event):
    store = ObjectsBackend(str(directory), path="events/org={context.org}/user={context.user_id}")
    send(store, an_event(context={"user_id": 7}))
    assert keys()[0].startswith("events/org=__HIVE_DEFAULT_PARTITION__/user=7/")


def test_a_query_reads_only_the_directories_that_it_needs(directory, keys, send, an_event):
    store = ObjectsBackend(str(directory))
    days = [datetime(2026, 9, day, 12, tzinfo=UTC) for day in (1, 2, 3)]
    send(store, *(an_event(name, at=at) for name in ("a.x", "b.y") for at in days))
    for key in keys():
        if "a.x/date=2026-09-02" not in key:
            (directory / key).write_bytes(b"damaged")
    since, until = (datetime(2026, 9, day, tzinfo=UTC) for day in (2, 3))
    assert store.count(name="a.*", since=since, until=until) == 1


@pytest.mark.parametrize(
    "path",
    [
        "events",
        "{name}",
        "events/{timestamp:%Y}/{timestamp:%m}/{timestamp:%d}/{timestamp:%H}",
        "y={timestamp:%Y}/m={timestamp:%Y%m}",
        "events/week={timestamp:%G-%V}/{context.user_id}",
    ],
)
def test_other_layouts_find_the_same(path, directory, send, an_event):
    store = ObjectsBackend(str(directory), path=path)
    times = [datetime(2026, 1, 1, hour, 59, tzinfo=UTC) for hour in (0, 1, 2, 23)]
    events = [an_event(at=at) for at in (*times, datetime(1, 1, 1, tzinfo=UTC))]
    send(store, *events)
    since = datetime(2026, 1, 1, 1, 59, tzinfo=UTC)
    assert list(store.query(since=since)) == events[1:4]
    assert list(store.query(until=since)) == [events[4], events[0]]


def test_what_others_put_there_is_no_event(directory, send, an_event):
    store = ObjectsBackend(str(directory))
    send(store, an_event())
    (directory / "events" / "_SUCCESS").write_bytes(b"")
    (directory / "events" / "notes.ndjson").write_bytes(b"nothing of ours")
    assert store.count() == 1


def test_a_damaged_object_is_told_of(directory, keys, send, an_event):
    store = ObjectsBackend(str(directory))
    send(store, an_event(secret="a secret"))
    path = directory / keys()[0]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(Exception, match="damaged") as caught:
        store.count()
    assert "a secret" not in str(caught.value)


def test_reading_makes_no_directory(directory):
    store = ObjectsBackend(str(directory))
    with pytest.raises(FileNotFoundError, match="no store here yet"):
        store.count()
    assert store.load_event_types() == []
    assert not directory.exists()


def test_ids_of_others_are_stored_and_found(directory, send, an_event):
    store = ObjectsBackend(str(directory))
    events = [an_event() | {"id": event_id} for event_id in ("a/../b", "7", "ö" * 200, "7f")]
    send(store, *events)
    send(store, an_event())
    assert store.get("a/../b") == events[0]
    assert store.count() == 5
    assert ids(store.query(after="7")) == ids([events[0], events[2], events[3]])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"uri": ""}, "uri"),
        ({"uri": "ftp://user:a-password@host/"}, "uri must be"),
        ({"uri": "s3://"}, "uri and options"),
        ({"uri": "s3://b", "options": {"nonsense": "a-password"}}, "uri and options"),
        ({"path": ""}, "path"),
        ({"path": "/events"}, "path"),
        ({"path": "a/../b"}, "path"),
        ({"path": "events/{user}"}, "fields of events"),
        ({"path": "events/{name:%Y}"}, "for timestamp only"),
        ({"path": "events/{timestamp}"}, "for timestamp only"),
        ({"path": "events/{name"}, "path"),
        ({"format": "csv"}, "format"),
        ({"compression": "lz4"}, "compression must be"),
        ({"event_types": "events"}, "event_types"),
        ({"event_types": "{name}"}, "event_types"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, said, tmp_path):
    with pytest.raises(ValueError, match=said) as caught:
        ObjectsBackend(**{"uri": str(tmp_path)} | options)
    assert "a-password" not in str(caught.value)


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
def test_hostile_events_are_stored(form, tmp_path):
    """In a process that has not used obstore, so that its children need no helpers."""
    options = {"uri": str(tmp_path / "lake"), "format": form}
    arguments = ["--pyargs", "eventtracking_core.testing.conformance", "-k", "hostile_events"]
    of_ours = ["--eventtracking-backend=objects", f"--eventtracking-options={json.dumps(options)}"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--noconftest", *arguments, *of_ours],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "1 passed" in ran.stdout, ran.stdout


class TestStore(EventStoreConformance):
    test_takes_hostile_events = None  # above

    @pytest.fixture(autouse=True, params=["ndjson", "parquet"])
    def _store(self, request, tmp_path):
        self.made, self.format = tmp_path, request.param

    def make_backend(self):
        return ObjectsBackend(str(self.made / "lake"), format=self.format)


class TestMetadataStore(MetadataStoreConformance):
    @pytest.fixture(autouse=True)
    def _store(self, tmp_path):
        self.made = tmp_path

    def make_store(self):
        return ObjectsBackend(str(self.made / "lake"))
