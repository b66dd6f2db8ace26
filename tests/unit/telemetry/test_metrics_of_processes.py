"""The metrics of a process, which its SDK reads."""

from __future__ import annotations

import pytest

# Each test starts a program.
pytestmark = [pytest.mark.native, pytest.mark.slow]


@pytest.mark.parametrize(
    "order", ["set_up(); et.configure(CONFIG)", "et.configure(CONFIG); set_up()"]
)
def test_the_sdk_may_be_set_up_before_or_after(told, order):
    assert told(f"{order}; et.emit('a'); tell(read())") == [
        {"event.emitted": 1, "backend.exported": 1}
    ]


def test_configuring_twice_makes_no_instrument_twice(told):
    """The SDK would log a warning of it, and readers would see the metric twice."""
    (read,) = told(
        "set_up()\n"
        "for tracker in (et.get_tracker(), et.get_tracker(), et.Tracker()):\n"
        "    tracker.configure(CONFIG)\n"
        "    tracker.emit('a')\n"
        "tell(read())"
    )
    assert read == {"event.emitted": 3, "backend.exported": 3}


def test_a_forked_child_counts_from_zero_and_its_parent_goes_on(told):
    before, child, parent = told(
        "set_up()\n"
        "for _ in range(2): et.configure(CONFIG); et.emit('a')\n"
        "tell(read())\n"
        "if os.fork() == 0:\n"
        "    et.emit('a'); tell(read()); os._exit(0)\n"
        "os.wait(); et.emit('a'); tell(read())"
    )
    assert [each["event.emitted"] for each in (before, child, parent)] == [2, 1, 3]
    assert [each["backend.exported"] for each in (before, child, parent)] == [2, 1, 3]


def test_what_was_counted_can_be_read_after_the_end(told):
    """The SDK reads for the last time at exit, when trackers may be shut down already."""
    told_last = told(
        "et.configure(CONFIG); set_up(); et.emit('a')\net.get_tracker().shutdown(5); tell(read())"
    )
    assert told_last == [{"event.emitted": 1, "backend.exported": 1}]


def test_without_an_sdk_nothing_is_different(told):
    assert told(
        "et.configure(CONFIG); et.emit('a'); tell(et.get_tracker().stats()['emitted'])"
    ) == [1]
