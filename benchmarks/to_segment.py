"""To Segment, in a process of its own on this machine: ours, and the official client."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from segment.analytics.client import Client  # type: ignore[import-untyped]

from benchmarks.delivered import emitter
from benchmarks.ours import entered
from benchmarks.sample import C1, C2, DATA, NAME
from benchmarks.sender import Sender
from benchmarks.services import SEGMENT_KEY

__all__ = ["segment_senders"]

EVENTS: Final = 5_000
"""The official client's queue has room for 10,000 and drops the rest."""


def segment_senders(address: str, directory: Path, stack: ExitStack) -> list[Sender]:
    """Return both.

    Args:
        address: of the endpoint.
        directory: where ours keeps what it cannot deliver.
        stack: closes what is opened.
    """
    delivered = _counted(address)
    sink = {"write_key": SEGMENT_KEY, "host": address}
    return [
        emitter("segment", sink, directory, stack, delivered, emit=entered, events=EVENTS),
        _official(address, delivered, stack),
    ]


def _official(address: str, delivered: Callable[[], int], stack: ExitStack) -> Sender:
    client = Client(SEGMENT_KEY, host=address)
    stack.callback(client.shutdown)

    def track() -> None:
        whole = {
            "name": NAME,
            "timestamp": datetime.now(UTC),
            "context": {**C1, **C2},
            "data": DATA,
        }
        context = {
            "ip": C1["ip"],
            "userAgent": C1["agent"],
            "page": {"path": C1["path"], "url": f"https://{C1['host']}{C1['path']}"},
        }
        client.track(str(C2["user_id"]), NAME, whole, context)

    return Sender(
        "segment-analytics-python",
        "client.track(USER, NAME, EVENT, CONTEXT); client.flush()",
        track,
        EVENTS,
        delivered,
        client.flush,
    )


def _counted(address: str) -> Callable[[], int]:
    """Return what asks the endpoint for the distinct messages since it was last asked."""
    seen = 0

    def delivered() -> int:
        nonlocal seen
        with urlopen(f"{address}/received") as response:
            received: dict[str, Any] = json.load(response)
        assert not received["complaints"], "the endpoint refused something"
        assert not received["repeats"], "a message came twice"
        total: int = received["messages"]
        count, seen = total - seen, total
        return count

    return delivered
