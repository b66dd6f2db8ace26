"""The command line reads objects, and replays from and into them."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from pathlib import Path

import pytest

from eventtracking_core import EventType
from eventtracking_core.encoding import decode_json
from eventtracking_core.registry import FieldDoc
from eventtracking_objects import ObjectsBackend

PROGRAM = Path(sysconfig.get_path("scripts"), "eventtracking")


@pytest.fixture
def run(tmp_path):
    """Runs the command; returns what it prints as JSON."""

    def command(*arguments):
        ran = subprocess.run(
            [PROGRAM, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
        return json.loads(ran.stdout)

    return command


@pytest.mark.once
@pytest.mark.timeout(600)
def test_events_go_from_one_store_into_another(tmp_path, run, send, an_event):
    source = ObjectsBackend(str(tmp_path / "source"))
    record = EventType(name="a", fields=(FieldDoc("n", type="integer"),))
    source.save_event_type(record)
    events = [an_event(name, n=n) for n in range(30) for name in ("a", "b")]
    for event in events[::2]:
        event["name_id"] = record.id
    send(source, *events[:40])
    send(source, *events[30:])
    config = tmp_path / "eventtracking.toml"
    config.write_text(
        '[backends.lake]\ntype = "objects"\nuri = "target"\npath = "events"\nformat = "parquet"\n'
    )
    address = (tmp_path / "source").as_uri()
    for _ in range(2):  # the second time, everything is there
        done = run("replay", "--from", address, "--config", str(config), "--json")
        assert (done["events"], done["complete"]) == (60, True)
    target = ObjectsBackend(str(tmp_path / "target"), "events")
    assert list(target.query(after="")) == events
    assert len(list((tmp_path / "target" / "events").iterdir())) == 2  # one of each type
    assert [found.id for found in target.load_event_types()] == [record.id]
    back = tmp_path / "back.toml"
    back.write_text('[backends.file]\ntype = "file"\npath = "back.ndjson"\n')
    assert run("replay", "--from", str(config), "--config", str(back), "--json")["events"] == 60
    lines = (tmp_path / "back.ndjson").read_bytes().splitlines()
    assert [decode_json(line) for line in lines if b'"event_type"' not in line] == events
