"""What befalls a server while events come: each is a block, and is mended at its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

import pytest
from fault_proxy import FaultProxy
from started_server import StartedServer
from waiting import wait_until

from eventtracking_core import Event, RetryableError
from eventtracking_core.components import BatchBackend

__all__ = ["check_silence", "killed", "lost_answers"]

LOST: Final = 2
ALL: Final = 1_000_000  # some go to a connection that broke: no answer to them is there to be lost


@contextmanager
def killed(server: StartedServer) -> Iterator[None]:
    """Kill a server, and start it again."""
    server.kill()
    try:
        yield
    finally:
        server.start()


@contextmanager
def lost_answers(proxy: FaultProxy, marker: bytes) -> Iterator[None]:
    """Let requests be done, but not answered, until two were.

    Args:
        proxy: between the backend and its server.
        marker: bytes that such requests contain.
    """
    proxy.lose_answers(marker, ALL)
    yield
    wait_until(lambda: proxy.lost >= LOST)
    proxy.lose_answers(marker, 0)


def check_silence(proxy: FaultProxy, store: BatchBackend, event: Event) -> None:
    """Check that a batch fails in time while nothing passes, and is stored once afterwards."""
    proxy.is_black_hole = True
    before = monotonic()
    with pytest.raises(RetryableError):
        store.send_batch([event], timeout=0.3)
    assert monotonic() - before < 30
    proxy.heal()  # what it held back may arrive now
    store.send_batch([event], timeout=60)
