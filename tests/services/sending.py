"""Send one event to a backend that takes batches, as an inline leaf does."""

from __future__ import annotations

from eventtracking_core import BatchError, Event
from eventtracking_core.components import BatchBackend

__all__ = ["send"]

TIMEOUT = 60.0


def send(backend: BatchBackend, event: Event) -> None:
    """Send one event in time for a busy machine; raise what became of it."""
    try:
        backend.send_batch([event], timeout=TIMEOUT)
    except BatchError as error:
        raise error.failures[0] from None
