"""A sink that keeps records of event types."""

from __future__ import annotations

import pytest

from eventtracking_core.backends.memory import MemoryBackend


@pytest.fixture
def sink():
    """A backend that remembers, in order, which records and which events it was given."""

    class Sink(MemoryBackend):
        def __init__(self):
            super().__init__(1_000_000)
            self.given = []
            self.failures = 0

        def save_event_type(self, record):
            if self.failures:
                self.failures -= 1
                raise OSError(5, "Input/output error")
            self.given.append(record.id)

        def send(self, event):
            super().send(event)
            self.given.append(event["name"])

    return Sink()
