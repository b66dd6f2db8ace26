"""Files of events are read as a store."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from eventtracking_core.encoding import encode_json
from eventtracking_core.logs import LogFiles
from eventtracking_core.testing import EventReaderConformance


class TestReader(EventReaderConformance):
    @pytest.fixture(autouse=True)
    def _directory(self, tmp_path):
        self.directory = tmp_path

    def make_reader(self, events):
        lines = [encode_json(event) + b"\n" for event in events]
        first, second = self.directory / "a.log.gz", self.directory / "b.log"
        first.write_bytes(gzip.compress(b"".join(lines[:2])))
        second.write_bytes(b"".join(lines[2:]))
        return LogFiles([first, second])


def line(name, time="2026-09-12T12:55:00Z"):
    return f'{{"name": "{name}", "time": "{time}"}}\n'.encode()


def names(events):
    return [event["name"] for event in events]


def test_the_latest_event_is_told_by_its_time_and_the_last_one_by_its_line(tmp_path):
    path = tmp_path / "some.log"
    path.write_bytes(line("late", "2026-09-13T00:00:00Z") + line("early") + b"no event\n")
    log = LogFiles([path])
    assert names(log.query()) == ["late", "early"]
    assert names(log.query(newest_first=True, limit=1)) == ["late"]
    assert names(log.query(after="", newest_first=True, limit=1)) == ["early"]
    assert log.rejected == 1


def test_what_was_added_is_found_once_it_is_a_whole_line(tmp_path):
    path = tmp_path / "some.log"
    path.write_bytes(line("a"))
    log = LogFiles([path])
    [first] = log.query(after="")
    with path.open("ab", buffering=0) as file:
        file.write(line("b") + line("c")[:-5])
        assert names(log.query(after=first["id"])) == ["b"]
        assert names(log.query(after=first["id"])) == []
        file.write(line("c")[-5:])
        assert names(log.query(after=first["id"])) == ["c"]
    path.write_bytes(line("d"))  # it was rotated
    assert names(log.query(after=first["id"])) == ["d"]


def test_a_missing_file_is_an_error():
    with pytest.raises(FileNotFoundError):
        LogFiles([Path("missing.log")]).count()
