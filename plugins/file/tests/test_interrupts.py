"""Interrupts, as an exception of a signal handler, at any call of a backend."""

from __future__ import annotations

from pathlib import Path

import pytest
from interrupting import calls_interrupted

from eventtracking_file import FileBackend

pytestmark = [
    pytest.mark.native,
    # Some interrupts strike where the interpreter closes an iterator.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def open_paths():
    """Return where the descriptors of this process lead."""
    return {str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()}


def test_no_directory_stays_open(path, an_event):
    event = an_event()

    def write_first():
        backend = FileBackend(str(path), fsync=True)
        try:
            backend.send(event)
        finally:
            backend.shutdown(5)

    write_first()
    places = 0
    for _ in calls_interrupted(write_first):
        places += 1
        assert str(path.parent) not in open_paths()
    assert places > 50
