"""What a failed attempt leaves in memory."""

from __future__ import annotations

import gc
from weakref import ref

import pytest

from eventtracking_core.delivery.attempt import Attempt
from eventtracking_core.delivery.queued import QueuedEvent, batch_sender
from eventtracking_core.errors import RetryableError
from eventtracking_core.routing.capabilities import BackendCapabilities


class Held:
    """What a backend has at hand when it fails, such as an open file."""


@pytest.fixture
def no_collection():
    gc.disable()
    yield
    gc.enable()


class OneByOne:
    def __init__(self, error):
        self.error = error
        self.held = []

    def send(self, event):
        if event["name"] == "fails":
            self._fail()

    def _fail(self):
        held = Held()
        self.held.append(ref(held))
        raise self.error("unreachable")


class InBatches(OneByOne):
    def send_batch(self, events, *, timeout):
        self._fail()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("names", [["fails"] * 3, ["fails", "passes", "fails", "passes"]])
@pytest.mark.parametrize("error", [RetryableError, OSError, ValueError])
@pytest.mark.parametrize("kind", [OneByOne, InBatches])
def test_a_failed_attempt_keeps_nothing_of_the_backends(kind, error, names):
    backend = kind(error)
    attempt = Attempt(batch_sender(BackendCapabilities(backend)), lambda: 1.0)
    batch = [QueuedEvent(b"", {"name": name}, None) for name in names]

    attempt.run(batch)

    assert attempt.retryable
    assert backend.held
    assert [held() for held in backend.held] == [None] * len(backend.held)
