"""Dead-letter messages for a node that this worker's configuration does not have."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from eventtracking_core.delivery import DeadLetter, DeadLetters, DeliveryOptions
from eventtracking_core.delivery.batch_leaf import (
    DEFAULT_TRACKER,
    base_directory,
    leaf_directory,
)
from eventtracking_core.delivery.queued import QueuedEvent
from eventtracking_core.diagnostics import report

if TYPE_CHECKING:
    from eventtracking_async_router.messages import Message

__all__ = ["dead_letter"]

MAX_DIRECTORIES: Final = 100
"""Maximum number of paths from untrusted messages; further ones share a directory."""

OTHERS: Final = "unknown"

_directories: Final[set[tuple[str, str]]] = set()


def dead_letter(
    message: Message, items: Sequence[QueuedEvent], text: str, *, reason: str = "mismatch"
) -> None:
    """Dead-letter the events of a message, at the path of the node it names.

    They can be replayed from there once the configuration has that node.

    Raises:
        OSError: they cannot be written.
    """
    path = message.leaf or message.node
    error = f"{text}: tracker {message.tracker!r}, {path!r}; sent by {message.origin}"
    written = _dead_letters(path, message.tracker).add(
        DeadLetter(
            wire=item.wire,
            backend=path,
            reason=reason,
            error=error,
            attempts=item.attempts,
            time=datetime.now(UTC),
        )
        for item in items
    )
    report(
        logging.ERROR,
        ("mismatch", message.tracker, path),
        "%s; dead-lettered: %d of %d events",
        error,
        written,
        len(items),
    )


def _dead_letters(path: str, tracker: str) -> DeadLetters:
    if (path, tracker) not in _directories:
        if len(_directories) >= MAX_DIRECTORIES:
            path, tracker = OTHERS, DEFAULT_TRACKER
        _directories.add((path, tracker))
    directory = leaf_directory(base_directory(None), path, tracker, None)
    return DeadLetters(directory / "dead", DeliveryOptions().max_dead_letter_bytes)
