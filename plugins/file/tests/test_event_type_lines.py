"""Records of event types, in the files whose events refer to them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from eventtracking_core import EventType, FieldDoc, RetryableError
from eventtracking_core.encoding import decode_json
from eventtracking_file import FileBackend

WHEN = datetime(2026, 9, 12, 12, 55, tzinfo=UTC)


def a_record(name="problem.check"):
    fields = (FieldDoc("problem_id", "Which\u2028problem.\x7f"),)
    return EventType(name=name, description="It was checked.", fields=fields).at(WHEN, ["a.py:1"])


def ids(lines):
    """Return the ids of the records among lines."""
    return [line["event_type"]["id"] for line in lines if "event_type" in line]


def test_the_line_is_no_event(path):
    FileBackend(str(path)).save_event_type(a_record())
    [line] = path.read_bytes().splitlines()

    assert line.isascii()
    with pytest.raises(ValueError, match="id is missing"):
        decode_json(line)


def test_who_comes_later_does_not_repeat_what_is_at_the_head(path, written, an_event):
    for _ in range(3):
        backend = FileBackend(str(path))
        backend.save_event_type(a_record())
        backend.send(an_event(n=1))
        backend.shutdown(5)

    assert ids(written()) == [a_record().id]


def test_a_file_that_another_process_has_begun_gets_our_records_too(
    path, written, an_event, eventually
):
    ours, others = FileBackend(str(path)), FileBackend(str(path))
    ours.save_event_type(a_record("ours.first"))
    others.save_event_type(a_record("others.first"))
    path.rename(path.with_name("moved"))

    def described(backend):
        backend.send(an_event(n=1))
        return path.exists() and ids(map(json.loads, path.read_bytes().splitlines()))

    eventually(lambda: described(others) == [a_record("others.first").id])
    both = [a_record("others.first").id, a_record("ours.first").id]
    eventually(lambda: described(ours) == both)
    assert sorted(ids(written())) == sorted(both)


@pytest.mark.parametrize("compress", [None, "gzip", "zstd"])
def test_the_records_of_rotated_files_are_found(path, compress, an_event):
    first = FileBackend(str(path), max_size=2000, compress=compress)
    first.save_event_type(a_record("old.type"))
    for _ in range(20):
        first.send(an_event(text="x" * 90))
    assert first.shutdown(60)
    path.write_bytes(b"")
    FileBackend(str(path)).save_event_type(a_record("new.type"))

    found = FileBackend(str(path)).load_event_types()
    assert list(found) == [a_record("old.type"), a_record("new.type")]


def test_each_file_begins_with_the_records_and_none_is_lost(path, written, an_event):
    backend = FileBackend(str(path), max_size=2000)
    for name in ("one.type", "another.type"):
        backend.save_event_type(a_record(name))
    for number in range(30):
        backend.send(an_event(n=number, text="x" * 90))

    assert len(written.files()) > 2
    for file in written.files():
        head = [json.loads(line) for line in file.read_bytes().splitlines()[:2]]
        assert ids(head) == [a_record("one.type").id, a_record("another.type").id]
    events = [line["data"]["n"] for line in written() if "data" in line]
    assert sorted(events) == list(range(30))


def test_processes_that_save_at_once_leave_whole_lines(path, start):
    script = """
from datetime import UTC, datetime
from eventtracking_core import EventType
from eventtracking_file import FileBackend
backend = FileBackend(str(path))
sys.stdin.readline()
for n in range(50):
    backend.save_event_type(EventType(name=f"a.b{n}").at(datetime(2026, 1, 1, tzinfo=UTC), ()))
"""
    processes = [start(script) for _ in range(3)]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        assert process.communicate(timeout=60)[1] == ""

    found = list(FileBackend(str(path)).load_event_types())
    assert sorted(record.name for record in found) == sorted(f"a.b{n}" for n in range(50))
    for line in path.read_bytes().splitlines():
        assert json.loads(line)["event_type"]["kind"] == "event"


def test_a_record_that_cannot_be_written_is_to_be_tried_again(path):
    backend = FileBackend(str(path))
    path.mkdir()
    with pytest.raises(RetryableError, match="directory"):
        backend.save_event_type(a_record())
    path.rmdir()
    backend.save_event_type(a_record())

    assert list(backend.load_event_types()) == [a_record()]


def test_what_is_no_record_is_passed_over(path):
    lines = [b"{", b'{"event_type":"problem_check"}', b'{"event_type":{}}', b'{"event_type":{"x']
    path.write_bytes(b"\n".join(lines))

    assert list(FileBackend(str(path)).load_event_types()) == []
