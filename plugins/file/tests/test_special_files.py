"""Pipes and devices as files: what they do not take is refused at once."""

from __future__ import annotations

import json
import os
from time import monotonic

import pytest
from waiting import at_most

from eventtracking_core import RetryableError
from eventtracking_file import FileBackend

FULL = 2_000
"""Lines, of which a pipe takes a part."""


@pytest.fixture
def pipe(path):
    os.mkfifo(path)
    return path


@pytest.fixture
def reader(pipe):
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


def read(descriptor):
    found = b""
    while True:
        try:
            chunk = os.read(descriptor, 1 << 20)
        except BlockingIOError:
            return found
        if not chunk:
            return found
        found += chunk


def send_until_full(backend, an_event, **data):
    """Send events that are all too many; return how many were taken, and the seconds it took."""
    began, taken = monotonic(), 0
    for number in range(FULL):
        try:
            backend.send(an_event(number=number, **data))
        except RetryableError:
            continue
        taken += 1
    return taken, monotonic() - began


def test_a_pipe_without_a_reader_refuses_at_once(pipe, an_event):
    backend = FileBackend(str(pipe))
    with at_most(1):
        for number in range(100):
            with pytest.raises(RetryableError):
                backend.send(an_event(number=number))


def test_a_reader_that_comes_later_gets_what_is_sent_from_then_on(pipe, an_event):
    backend = FileBackend(str(pipe))
    with pytest.raises(RetryableError):
        backend.send(an_event())
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    backend.send(an_event(number=1))
    assert json.loads(read(descriptor))["data"] == {"number": 1}
    os.close(descriptor)
    with pytest.raises(RetryableError):
        backend.send(an_event())


def test_a_full_pipe_is_waited_for_once_and_used_again_when_it_is_read(reader, pipe, an_event):
    backend = FileBackend(str(pipe))
    taken, seconds = send_until_full(backend, an_event)
    assert 0 < taken < FULL
    assert seconds < 20
    lines = read(reader).splitlines()
    assert [json.loads(line)["data"]["number"] for line in lines] == list(range(taken))
    backend.send(an_event(number=-1))
    assert json.loads(read(reader))["data"] == {"number": -1}


def test_a_line_that_went_only_in_part_takes_no_other_along(reader, pipe, an_event):
    backend = FileBackend(str(pipe))
    taken, _ = send_until_full(backend, an_event, text="x" * 30_000)
    lines = read(reader).splitlines()
    whole = lines[:taken]
    assert [json.loads(line)["data"]["number"] for line in whole] == list(range(taken))
    backend.send(an_event(number=-1))
    *_, last = read(reader).splitlines()
    assert json.loads(last)["data"] == {"number": -1}


def test_a_pipe_is_neither_rotated_nor_synced_nor_read(reader, pipe, an_event):
    backend = FileBackend(str(pipe), max_size=10, rotate_every=0.01, fsync=True)
    for number in range(10):
        backend.send(an_event(number=number))
    assert list(backend.load_event_types()) == []
    assert len(read(reader).splitlines()) == 10
    assert [found.name for found in pipe.parent.iterdir()] == [pipe.name]


def test_a_device_that_is_full_refuses(an_event):
    with pytest.raises(RetryableError):
        FileBackend("/dev/full").send(an_event())


def test_a_device_that_takes_everything_takes_it(an_event):
    FileBackend("/dev/null").send(an_event())
