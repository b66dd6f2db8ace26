"""A process that is killed while it writes leaves half a line, and others append behind it."""

from __future__ import annotations

import json
from random import uniform
from threading import Event as Signal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventtracking_file import FileBackend

PAGE = 4096


def readable(path):
    """Return the ids of the lines that can be read."""
    ids = []
    for line in path.read_bytes().splitlines():
        try:
            ids.append(json.loads(line)["id"])
        except (ValueError, KeyError, TypeError):
            continue
    return ids


def leave_half_a_line(path, *, size):
    """Append what a process wrote until it was killed."""
    with path.open("ab") as file:
        file.write(b'{"id":"killed","data":{"text":"'.ljust(size, b"x")[:size])


def leave_half_a_line_up_to_a_page(path):
    """Append as a killed process does, whose write the kernel ends between two pages."""
    leave_half_a_line(path, size=PAGE - path.stat().st_size % PAGE)


@pytest.mark.parametrize("size", [1, 8, 100, PAGE, 50_000, 3_000_000])
def test_an_event_does_not_continue_the_line_of_a_killed_process(path, an_event, size):
    backend = FileBackend(str(path))
    events = [an_event(number=number) for number in range(3)]
    backend.send(events[0])
    leave_half_a_line(path, size=size)
    backend.send(events[1])
    backend.send(events[2])
    assert readable(path) == [event["id"] for event in events]


def test_nor_after_a_while(path, an_event):
    """The file is looked at each 0.1 seconds, and then its half line is at its end."""
    backend = FileBackend(str(path))
    first, second = an_event(), an_event()
    backend.send(first)
    leave_half_a_line(path, size=100)
    Signal().wait(0.15)
    backend.send(second)
    assert readable(path) == [first["id"], second["id"]]


def test_a_batch_does_not_either(path, an_event):
    backend = FileBackend(str(path))
    events = [an_event(number=number) for number in range(30)]
    backend.send_batch(events[:10], timeout=60)
    leave_half_a_line(path, size=100)
    backend.send_batch(events[10:], timeout=60)
    assert readable(path) == [event["id"] for event in events]


def test_a_file_that_was_renamed_meanwhile_is_mended_too(path, an_event, tmp_path):
    backend = FileBackend(str(path))
    first, second = an_event(), an_event()
    backend.send(first)
    leave_half_a_line(path, size=100)
    path.rename(tmp_path / "renamed")
    (tmp_path / "another").write_text("somebody else's\n")
    (tmp_path / "another").rename(path)
    backend.send(second)
    assert readable(tmp_path / "renamed") == [first["id"], second["id"]]
    assert path.read_text() == "somebody else's\n"


def test_nested_objects_at_the_borders_of_pages_stay_as_they_are(path, an_event):
    """They may look like the beginning of a line."""
    other, backend = FileBackend(str(path)), FileBackend(str(path))
    events = [an_event(list=[{"a": 1}] * number) for number in range(1_000, 1_050)]
    for event in events:
        other.send(event)
        backend.send(event)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["id"] for line in lines] == [event["id"] for event in events for _ in range(2)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(["one", "another", "killed"]), max_size=40))
def test_whoever_is_killed_the_events_of_the_others_can_be_read(path, an_event, turns):
    path.unlink(missing_ok=True)
    writers = {"one": FileBackend(str(path)), "another": FileBackend(str(path))}
    sent = []
    for number, turn in enumerate(["one", "another", *turns, "one", "another"]):
        if turn == "killed":
            leave_half_a_line_up_to_a_page(path)
        else:
            sent.append(an_event(number=number, text="x" * number * 30))
            writers[turn].send(sent[-1])
    for writer in writers.values():
        writer.shutdown(1)
    assert readable(path) == [event["id"] for event in sent]


EMIT = """
backend = FileBackend(path)
acknowledged = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
print("ready", flush=True)
sys.stdin.readline()
while True:
    sent = event(text="x" * 3000)
    backend.send(sent)
    os.write(acknowledged, sent["id"].encode() + b"\\n")
"""


def begin(process):
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.once
def test_a_survivor_of_kills_loses_no_event(path, start, tmp_path):
    survivor, *victims = [start(EMIT, tmp_path / f"{number}.ids") for number in range(9)]
    for process in (survivor, *victims):
        process.stdout.readline()
    begin(survivor)
    for victim in victims:
        begin(victim)
        Signal().wait(uniform(0.01, 0.05))
        victim.kill()
        victim.wait()
    survivor.kill()
    survivor.wait()
    acknowledged = (tmp_path / "0.ids").read_text().split()
    assert acknowledged
    assert set(acknowledged) - set(readable(path)) == set()
