"""The process that makes requests for a forked child."""

from __future__ import annotations

import gc
import os
import select
import sys
from pathlib import Path

import pytest
from interrupting import calls_interrupted

from eventtracking_core import RetryableError
from eventtracking_objects.helper import Helper


def test_a_helper_leaves_the_descriptors_of_its_parent_alone(directory, monkeypatch):
    monkeypatch.setattr("sys.path", [*sys.path, Path("/somewhere"), None])  # programs do that
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)  # noqa: FBT003  as servers do with the sockets they listen on
    helper = Helper(directory.as_uri(), {})
    try:
        assert helper.call("list_keys", "", "", 30.0) == []
        os.close(writing)
        assert select.select([reading], [], [], 30)[0], "the helper has it open"
    finally:
        helper.close()
        os.close(reading)


def test_a_call_whose_time_is_over_may_be_tried_again(directory):
    helper = Helper(directory.as_uri(), {})
    try:
        with pytest.raises(RetryableError):
            helper.call("list_keys", "", "", -0.1)
    finally:
        helper.close()


@pytest.mark.slow
def test_an_interrupt_at_any_call_leaves_no_lock_descriptor_or_process_behind(
    directory, monkeypatch
):
    for name in set(os.environ) - {"PATH"}:  # each would be places for interrupts
        monkeypatch.delenv(name)
    helper = Helper(directory.as_uri(), {})
    descriptors, children = _descriptors(), _children()

    def call():
        assert helper.call("list_keys", "", "", 30.0) == []
        helper.close()

    places = []
    for place in calls_interrupted(call, step=3):
        places.append(place)
        helper.close()
        assert _descriptors() <= descriptors  # those of other tests may be closed meanwhile
        assert _children() <= children
    assert len(places) > 20


def _descriptors():
    gc.collect()  # a selector refers to itself
    return len(list(Path("/dev/fd").iterdir()))


def _children():
    """Return the processes that other tests have started, and what a helper left behind."""
    return {
        number
        for path in Path("/proc/self/task").glob("*/children")
        for number in path.read_text().split()
    }
