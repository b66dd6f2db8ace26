"""Directories of events are for their owner alone, and no link leads out of them."""

from __future__ import annotations

import os
import stat

import pytest

from eventtracking_core.delivery import DeadLetter, DeadLetters
from eventtracking_core.delivery.storage.quarantine import MAX_BYTES, MAX_FILES, Quarantine
from eventtracking_core.delivery.storage.reader import (
    Damage,
)


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def umask_of_zero():
    previous = os.umask(0)
    yield
    os.umask(previous)


@pytest.fixture
def rejecting(sink):
    from eventtracking_core import RejectedError

    sink.fails = RejectedError("no")
    return sink


@pytest.mark.usefixtures("umask_of_zero")
@pytest.mark.parametrize("delivery", ["queue", "spool"])
def test_directories_that_are_made_are_for_the_owner_alone(
    delivery, tracker_to, rejecting, tmp_path, leaf
):
    tracker = tracker_to(rejecting, mode=delivery, directory=str(tmp_path / "a" / "b"))
    tracker.emit("rejected")
    assert tracker.flush(60)
    assert leaf(tracker)["dead_lettered"] == 1
    assert {mode(path) for path in tmp_path.rglob("*") if path.is_dir()} == {0o700}


@pytest.mark.parametrize("names", [["r.sink"], ["r.sink", "spool"], ["r.sink", "dead"]])
def test_no_link_below_the_configured_directory_is_followed(
    names, tracker_to, rejecting, tmp_path, leaf
):
    base, elsewhere = tmp_path / "base", tmp_path / "elsewhere"
    base.mkdir()
    elsewhere.mkdir()
    link = base.joinpath(*names)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    tracker = tracker_to(rejecting, directory=str(base))
    tracker.emit("rejected")
    tracker.flush(0.5)
    assert list(elsewhere.rglob("*")) == []
    link.unlink()
    assert tracker.flush(60)
    assert leaf(tracker)["dead_lettered"] == 1


def test_the_configured_directory_itself_may_be_a_link(tracker_to, sink, tmp_path, leaf):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    sink.fails = ConnectionError()
    tracker_to(sink, directory=str(tmp_path / "link")).emit("kept")
    assert list((tmp_path / "disk").rglob("*.seg"))


def test_a_directory_that_is_open_to_others_is_closed_to_them_and_that_is_said(
    tracker_to, sink, tmp_path, caplog
):
    spool = tmp_path / "r.sink" / "spool"
    spool.mkdir(parents=True)
    for path in (spool, spool.parent):
        path.chmod(0o777)
    sink.fails = ConnectionError()
    tracker_to(sink).emit("kept")
    assert mode(spool) == mode(spool.parent) == 0o700
    assert "was open to others" in caplog.text


def test_a_directory_of_somebody_else_that_is_open_to_others_is_refused(run, tmp_path):
    tmp_path.chmod(0o755)
    spool = tmp_path / "r.sink" / "spool"
    spool.mkdir(parents=True)
    for path in (spool, spool.parent):
        path.chmod(0o777)
    assert run("emit_as_nobody", mode="spool") == {"pending": 1, "refused": True}
    assert list(spool.iterdir()) == []


def test_the_damaged_bytes_that_are_kept_are_bounded(tmp_path, caplog):
    (tmp_path / "damaged").mkdir(mode=0o700)
    for number in range(MAX_FILES - 5):
        (tmp_path / "damaged" / f"earlier-{number}").touch()
    damaged = Quarantine(tmp_path / "damaged", tmp_path)
    for number in range(10):
        damaged.add(str(number), Damage(3, b"bad"))
    assert len(list((tmp_path / "damaged").iterdir())) == MAX_FILES
    assert "is full" in caplog.text
    big = Damage(MAX_BYTES // 4, bytes(MAX_BYTES // 4))
    other = Quarantine(tmp_path / "other", tmp_path)
    for number in range(6):
        other.add(str(number), big)
    sizes = [path.stat().st_size for path in (tmp_path / "other").iterdir()]
    assert sum(sizes) <= MAX_BYTES


@pytest.mark.parametrize("name", ["b" * 300, "ü" * 150, "a/b", "/etc", "/..", "a\0b"])
def test_any_name_of_a_backend_has_a_directory(name, tmp_path, sink, leaf):
    import eventtracking_core as et

    sink.fails = ConnectionError()
    tracker = et.Tracker()
    delivery = {"mode": "spool", "directory": str(tmp_path / "base")}
    tracker.configure({"backends": {"r": {"delivery": delivery, "backends": {name: sink}}}})
    tracker.emit("kept")
    segments = list((tmp_path / "base").glob("*/spool/*/*.seg"))
    tracker.shutdown(0.1)
    assert len(segments) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_names_that_begin_alike_have_different_directories():
    from eventtracking_core.delivery.storage.directory import directory_name

    names = {directory_name("b" * 300 + end) for end in ("", "a", "b")}
    assert len(names) == 3
    assert not {directory_name("."), directory_name("..")} & {".", ".."}


def a_letter():
    from datetime import UTC, datetime

    return DeadLetter(b"wire", "b", "rejected", "no", 1, datetime.now(UTC))


def test_dead_letters_behind_half_a_record_are_read(tmp_path):
    letters = DeadLetters(tmp_path / "dead", 1 << 20)
    assert letters.add([a_letter()]) == 1
    (path,) = letters.segments()
    content = path.read_bytes()
    path.write_bytes(content + content[20:60])  # a process was killed while it wrote the second
    assert letters.add([a_letter()]) == 1
    assert len(list(letters.letters())) == 2
    assert letters.segments() == [path]


def test_dead_letters_of_a_later_version_are_left_alone(tmp_path):
    letters = DeadLetters(tmp_path / "dead", 1 << 20)
    letters.add([a_letter()])
    (path,) = letters.segments()
    later = path.read_bytes().replace(b"etspool1", b"etspool2")
    path.write_bytes(later)
    assert letters.add([a_letter()]) == 1
    assert path.read_bytes() == later
    assert len(list(letters.letters())) == 1
