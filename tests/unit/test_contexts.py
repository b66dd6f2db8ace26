"""The context stack."""

from __future__ import annotations

import eventtracking_core as et


def test_thousands_of_contexts_may_be_left_in_the_order_of_entering():
    tracker = et.Tracker()
    names = [str(number) for number in range(1500)]
    for name in names:
        tracker.enter_context(name, {"field": name})
    for name in names:
        tracker.exit_context(name)

    assert tracker.resolve_context() == {}
