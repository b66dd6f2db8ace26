"""Locks that an interrupt at any call leaves free."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from time import monotonic

import pytest
from interrupting import calls_interrupted
from waiting import at_most

from eventtracking_core.lifecycle.claims import Claim, ClaimLock, call_into


def hold(lock, act=lambda: None, seconds=0.0):
    """Act while holding a lock; return whether it was free in time."""
    claim = Claim()
    try:
        if not lock.wait(claim, monotonic() + seconds):
            return False
        act()
        return True
    finally:
        claim.is_over = True


def descriptors():
    return sorted(path.name for path in Path("/dev/fd").iterdir())


def in_a_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_an_interrupt_at_any_call_leaves_the_lock_free_for_all_threads():
    lock = ClaimLock()
    places = 0
    for _ in calls_interrupted(lambda: hold(lock)):
        places += 1
        assert in_a_thread(lambda: hold(lock))
        assert hold(lock)
        assert not lock.is_interrupted
    assert places > 5


def test_one_thread_at_a_time_holds_the_lock():
    lock = ClaimLock()
    inside = most = done = 0

    def act():
        nonlocal inside, most, done
        inside += 1
        most = max(most, inside)
        inside -= 1
        done += 1

    threads = [
        threading.Thread(target=lambda: [hold(lock, act, 60) for _ in range(200)]) for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (most, done) == (1, 800)


def test_a_signal_handler_does_not_wait_for_the_call_that_it_interrupted():
    lock = ClaimLock()

    def handler():
        assert lock.is_interrupted
        assert not hold(lock, seconds=60)
        assert not in_a_thread(lambda: hold(lock))

    with at_most(30):
        assert hold(lock, handler)
    assert not lock.is_interrupted


def test_a_claim_that_lasts_is_waited_for():
    lock = ClaimLock()
    claim = Claim(lasts=True)
    assert lock.take(claim) is claim
    assert not lock.is_interrupted
    assert not hold(lock, seconds=0.01)
    claim.is_over = True
    assert hold(lock)


def test_no_result_is_lost_to_an_interrupt():
    def make():
        made = []
        try:
            call_into(made, os.open, os.devnull, os.O_RDONLY)
        finally:
            for descriptor in made:
                os.close(descriptor)

    before = descriptors()
    assert all(descriptors() == before for _ in calls_interrupted(make))


def test_what_a_function_raises_passes():
    results = []
    with pytest.raises(ValueError, match="invalid"):
        call_into(results, int, "x")
    assert results == []
