"""Events for processors, and what becomes of them."""

from __future__ import annotations

import pytest

import eventtracking_core as et


@pytest.fixture(scope="session")
def passes():
    """Returns whether a processor lets an event through."""

    def does(processor, event):
        try:
            assert processor(event) in (None, event)
        except et.EventEmissionExit:
            return False
        return True

    return does


@pytest.fixture(scope="session")
def processed():
    """Returns the event as a processor leaves it."""

    def by(processor, event):
        result = processor(event)
        return event if result is None else result

    return by
