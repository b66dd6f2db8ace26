"""Files that processes share: they are locked, have high descriptors, and are probed unchanged."""

from __future__ import annotations

import os

import pytest

from eventtracking_core.files.descriptors import dup_high, high_number, open_high
from eventtracking_core.files.locks import CAN_LOCK, lock, unlock
from eventtracking_core.files.probing import probe_file, unreadable


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    return path


@pytest.mark.skipif(not CAN_LOCK, reason="there are no locks on this system")
def test_a_lock_keeps_others_out_until_its_file_is_closed(path):
    with path.open("rb") as other:
        with path.open("rb") as file:
            lock(file)
            with pytest.raises(BlockingIOError):
                lock(other)
        lock(other)


@pytest.mark.skipif(not CAN_LOCK, reason="there are no locks on this system")
def test_shared_locks_keep_out_an_exclusive_one_until_they_are_unlocked(path):
    with path.open("rb") as first, path.open("rb") as second, path.open("rb") as third:
        lock(first, shared=True)
        lock(second.fileno(), shared=True)
        unlock(first)
        with pytest.raises(BlockingIOError):
            lock(third)
        unlock(second)
        lock(third)


def test_a_file_is_opened_under_a_high_number_that_programs_inherit_not(path):
    descriptor = open_high(path, os.O_RDONLY)
    copy = dup_high(descriptor)
    try:
        assert min(descriptor, copy) >= high_number()
        assert not os.get_inheritable(descriptor)
        assert os.read(descriptor, 9) == b"content"
    finally:
        os.close(copy)
        os.close(descriptor)


def test_opening_a_file_that_does_not_exist_fails_as_open_does(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_high(tmp_path / "missing", os.O_RDONLY)


def test_a_probe_creates_nothing_and_changes_nothing(path, tmp_path):
    assert probe_file(path) == "the file is writable"
    new = tmp_path / "a" / "b" / "new"
    assert probe_file(new) == "the file does not exist yet and can be created"
    assert path.read_bytes() == b"content"
    assert list(tmp_path.iterdir()) == [path]


def test_a_probe_refuses_a_directory_and_what_is_below_a_file(path, tmp_path):
    with pytest.raises(IsADirectoryError):
        probe_file(tmp_path)
    with pytest.raises(NotADirectoryError):
        probe_file(path / "below" / "it")


def test_options_that_name_missing_files_are_warned_of(path):
    files = {"certificate": str(path), "key": f"{path}.key", "password": None}
    assert list(unreadable(files)) == ["key names a file that does not exist"]
