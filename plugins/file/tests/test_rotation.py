"""Files are rotated, compressed and forgotten, and no event is lost by it."""

from __future__ import annotations

import json
import os
import re
import stat
from datetime import datetime, timedelta
from time import time

import pytest
from waiting import DEADLINE

from eventtracking_file import FileBackend

NAME = re.compile(r"events-\d{8}T\d{6}Z(_\d{3})?\.ndjson")

WRITER = """
backend = FileBackend(path, max_size=100_000, compress="gzip")
print("ready", flush=True)
sys.stdin.readline()
first = int(sys.argv[2])
for number in range(first, first + 1500):
    backend.send(event(number=number, text="x" * 100))
batch = [event(number=number) for number in range(first + 1500, first + 2000)]
backend.send_batch(batch, timeout=60)
assert backend.shutdown(60)
"""


def numbers(events):
    return [event["data"]["number"] for event in events]


def rotated(path):
    return sorted(path.parent.glob("events-*"))


def fill(backend, an_event, count):
    for number in range(count):
        backend.send(an_event(number=number, text="x" * 100))


def test_no_file_holds_more_than_its_maximum(path, written, an_event):
    backend = FileBackend(str(path), max_size=10_000)
    fill(backend, an_event, 300)
    assert len(rotated(path)) > 5
    assert all(file.stat().st_size <= 10_000 for file in written.files())
    assert all(NAME.fullmatch(file.name) for file in rotated(path))
    assert sorted(numbers(written())) == list(range(300))


def test_an_event_larger_than_the_maximum_has_a_file_of_its_own(path, written, an_event):
    backend = FileBackend(str(path), max_size=1000)
    for number in range(3):
        backend.send(an_event(number=number, text="x" * 2000))
    assert len(rotated(path)) == 2
    assert sorted(numbers(written())) == [0, 1, 2]


@pytest.mark.parametrize("every", ["hour", "day", 60])
def test_the_first_event_of_a_period_begins_a_new_file(path, written, an_event, every):
    FileBackend(str(path), rotate_every=every).send(an_event(number=0))
    os.utime(path, (time() - 86_400, time() - 86_400))
    backend = FileBackend(str(path), rotate_every=every)
    backend.send(an_event(number=1))
    assert len(rotated(path)) == 1
    assert json.loads(path.read_text())["data"] == {"number": 1}


def test_a_running_process_rotates_when_the_period_is_over(path, an_event, eventually):
    backend = FileBackend(str(path), rotate_every=0.5)

    def is_rotated():
        backend.send(an_event())
        return len(rotated(path)) == 2

    eventually(is_rotated)
    _, second = rotated(path)
    lines = second.read_text().splitlines()
    moments = [datetime.fromisoformat(json.loads(line)["timestamp"]) for line in lines]
    # The first one may have been made well before its file.
    assert all(moment - moments[1] < timedelta(seconds=0.51) for moment in moments[2:])


@pytest.mark.parametrize(("compress", "extension"), [("gzip", ".gz"), ("zstd", ".zst")])
def test_rotated_files_are_compressed_by_the_end_of_the_shutdown(
    path, written, an_event, compress, extension
):
    backend = FileBackend(str(path), max_size=10_000, compress=compress, mode=0o640)
    fill(backend, an_event, 200)
    assert backend.shutdown(60)
    assert {file.suffix for file in rotated(path)} == {extension}
    assert {stat.S_IMODE(file.stat().st_mode) for file in rotated(path)} == {0o640}
    assert not list(path.parent.glob(".*"))
    assert sorted(numbers(written())) == list(range(200))


def test_only_the_latest_rotated_files_are_kept(path, written, an_event):
    backend = FileBackend(str(path), max_size=10_000, compress="gzip", keep=3)
    fill(backend, an_event, 500)
    assert backend.shutdown(60)
    assert len(rotated(path)) == 3
    latest = sorted(numbers(written()))
    assert latest == list(range(500 - len(latest), 500))


def test_other_files_of_the_directory_are_left_alone(path, an_event):
    others = [
        path.with_name(name)
        for name in ("events-2026.ndjson", "myevents-20260101T000000Z.ndjson", "events.ndjson.1")
    ]
    for other in others:
        other.write_text("not ours\n")
    backend = FileBackend(str(path), max_size=1000, compress="gzip", keep=1)
    fill(backend, an_event, 50)
    assert backend.shutdown(60)
    assert all(other.read_text() == "not ours\n" for other in others)


def test_what_a_crash_left_uncompressed_is_compressed_after_the_next_rotation(path, an_event):
    left = path.with_name("events-20260912T125500Z.ndjson")
    left.write_text('{"left": "over"}\n')
    path.with_name(".events-20260912T125500Z.ndjson.gz.tmp").write_bytes(b"half")
    backend = FileBackend(str(path), max_size=1000, compress="gzip")
    fill(backend, an_event, 20)
    assert backend.shutdown(60)
    assert not left.exists()
    assert not list(path.parent.glob(".*"))


def test_a_file_that_another_process_has_open_is_not_compressed_under_its_hands(
    path, start, an_event
):
    other = start("""
backend = FileBackend(path)
backend.send(event(number=0))
print("sent", flush=True)
sys.stdin.readline()
""")
    assert other.stdout.readline() == "sent\n"
    backend = FileBackend(str(path), max_size=1000, compress="gzip")
    fill(backend, an_event, 10)
    backend.shutdown(10)
    assert [file.suffix for file in rotated(path)].count(".ndjson") == 1
    other.communicate("\n", timeout=DEADLINE)
    fill(backend, an_event, 10)
    assert backend.shutdown(60)
    assert {file.suffix for file in rotated(path)} == {".gz"}


def test_a_link_stays_and_the_file_it_leads_to_is_rotated(path, tmp_path, an_event):
    (tmp_path / "data").mkdir()
    path.symlink_to(tmp_path / "data" / "real.ndjson")
    backend = FileBackend(str(path), max_size=1000)
    fill(backend, an_event, 10)
    assert path.is_symlink()
    assert len(list((tmp_path / "data").glob("real-*.ndjson"))) > 1


def test_processes_rotate_a_file_they_share_and_every_event_is_there_once(start, written):
    """Each writes thousands of lines as fast as it can, and any of them rotates and compresses."""
    writers = [start(WRITER, 2000 * n) for n in range(4)]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert (writer.returncode, errors) == (0, "")
    assert len(written.files()) > 1
    assert sorted(numbers(written())) == list(range(8000))
