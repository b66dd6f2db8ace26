"""How a leaf delivers: the options of `delivery` in a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final, Literal

from eventtracking_core.files.locks import CAN_LOCK
from eventtracking_core.units import ByteSize, Seconds

__all__ = ["MODES", "DeliveryOptions", "Mode", "WhenFull", "check_options"]

Mode = Literal["inline", "queue", "spool"]
WhenFull = Literal["drop_newest", "block", "spool"]

MODES: Final[tuple[Mode, ...]] = ("inline", "queue", "spool")
_MODES: Final = ("mode", "when_full")
_SIZES: Final = ("max_queue_size", "max_queue_bytes", "max_batch_size", "max_batch_bytes")
_TIMES: Final = ("export_timeout", "initial_interval", "max_interval")
MIN_WORKER_DEATHS: Final = 2
"""One of a batch shows which events may be to blame, and one of an event alone which one is."""

KIB: Final = 1024
MIB: Final = 1024 * KIB


@dataclass(frozen=True, kw_only=True)
class DeliveryOptions:
    """What stands before a leaf's backend.

    Args:
        mode: `inline` calls the backend in the emitting thread, `queue` keeps events in memory for
            a worker thread, `spool` keeps them in files.
        max_queue_size: events that may wait in memory.
        max_queue_bytes: bytes that may wait in memory.
        max_batch_size: events handed to the backend at once.
        max_batch_bytes: bytes, as they wait, handed to the backend at once.
        schedule_delay: seconds after which a batch goes that is not full.
        export_timeout: seconds one attempt may take.
        initial_interval: seconds of the first backoff; it doubles with each failure, and a random
            share of it is waited.
        max_interval: seconds a backoff never exceeds.
        max_elapsed_time: seconds after its first failure in which an event is tried again; then it
            is a dead letter (`expired`). Without it, there is no end.
        when_full: what to do with an event if the queue is full: `drop_newest` counts it as
            dropped, `block` waits up to 0.1 s for room, `spool` writes it to the spool.
        directory: where spools and dead letters are kept; `EVENTTRACKING_SPOOL_DIRECTORY`, else
            `eventtracking-spool` in the current directory.
        max_spool_bytes: bytes that spooled events may take.
        max_dead_letter_bytes: bytes that dead letters may take; a further one is dropped.
        fsync_interval: seconds between two syncs of the spool to its disk; 0 syncs each event
            before `emit` returns.
        max_worker_deaths: processes that may die while they deliver one event of a spool, or of an
            async router's broker; then it is a dead letter. After the first death, it is delivered
            alone.

    Raises:
        ValueError: a number is negative or NaN, or zero where it must be positive; or a spool is
            requested on a system without file locks.
    """

    mode: Mode = "inline"
    max_queue_size: int = 100_000
    max_queue_bytes: ByteSize = 40 * MIB
    max_batch_size: int = 512
    max_batch_bytes: ByteSize = 4 * MIB
    schedule_delay: Seconds = 1.0
    export_timeout: Seconds = 30.0
    initial_interval: Seconds = 0.5
    max_interval: Seconds = 30.0
    max_elapsed_time: Seconds | None = None
    when_full: WhenFull = "drop_newest"
    directory: str | None = None
    max_spool_bytes: ByteSize = 1024 * MIB
    max_dead_letter_bytes: ByteSize = 256 * MIB
    fsync_interval: Seconds = 0.1
    max_worker_deaths: int = 3

    def __post_init__(self) -> None:
        check_options(vars(self))


def check_options(options: Mapping[str, object]) -> None:
    """Check the values of options, given by name.

    Raises:
        ValueError: one is not allowed; the message says why.
    """
    for name, value in options.items():
        if name in _MODES and value == "spool" and not CAN_LOCK:
            raise ValueError("a spool needs locks of files, which this system does not have")
        if not isinstance(value, int | float):
            continue
        if name == "max_worker_deaths" and value < MIN_WORKER_DEATHS:
            raise ValueError(f"max_worker_deaths must be at least {MIN_WORKER_DEATHS}")
        if name in _SIZES and not 0 < value < inf:
            raise ValueError(f"{name} must be positive")
        if name in _TIMES and not 0 < value < inf:
            raise ValueError(f"{name} must be more than 0 seconds")
        if not 0 <= value < inf:
            raise ValueError(f"{name} must not be negative")
