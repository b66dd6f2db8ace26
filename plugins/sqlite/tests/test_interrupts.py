"""Interrupts, as an exception of a signal handler, at any call of a backend."""

from __future__ import annotations

import pytest
from interrupting import calls_interrupted, in_a_thread

from eventtracking_sqlite import SqliteBackend

# An interrupt within `__del__` passes nobody.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.parametrize("act", ["flush", "shutdown", "store"])
def test_another_thread_goes_on_after_an_interrupt(act, tmp_path, an_event):
    backend = SqliteBackend(str(tmp_path / "events.db"))
    acts = {
        "flush": lambda: backend.flush(5),
        "shutdown": lambda: backend.shutdown(5),
        "store": lambda: backend.send_batch([an_event()], timeout=5) is None,
    }
    assert acts["store"]()
    places = 0
    for _ in calls_interrupted(acts[act]):
        places += 1
        assert in_a_thread(acts[act])
    assert places > 5
    assert backend.shutdown(5)
