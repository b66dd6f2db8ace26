"""Messages for a node that this worker's configuration does not have: kept as dead letters."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from eventtracking_core.delivery import DeadLetter, DeadLetters, DeliveryOptions
from eventtracking_core.delivery.attempt import QueuedEvent
from eventtracking_core.delivery.places import DEFAULT_TRACKER, base_directory, leaf_directory
from eventtracking_core.diagnostics import report

if TYPE_CHECKING:
    from eventtracking_async_router.messages import Message

__all__ = ["dead_letter"]

MAX_PLACES: Final = 100
"""Names that strangers may make up; further ones share a place."""

OTHERS: Final = "unknown"

_places: Final[set[tuple[str, str]]] = set()


def dead_letter(message: Message, items: Sequence[QueuedEvent], reason: str) -> None:
    """Keep the events of a message as dead letters, at the path of the node it names.

    There they are listed and replayed once the configuration has that node.

    Raises:
        OSError: they cannot be written.
    """
    path = message.leaf or message.node
    error = f"{reason}: tracker {message.tracker!r}, {path!r}; sent by {message.origin}"
    kept = _letters(path, message.tracker).add(
        DeadLetter(
            wire=item.wire,
            backend=path,
            reason="mismatch",
            error=error,
            attempts=item.attempts,
            time=datetime.now(UTC),
        )
        for item in items
    )
    report(
        logging.ERROR,
        ("mismatch", message.tracker, path),
        "%s; %d of %d events are kept as dead letters",
        error,
        kept,
        len(items),
    )


def _letters(path: str, tracker: str) -> DeadLetters:
    if (path, tracker) not in _places:
        if len(_places) >= MAX_PLACES:
            path, tracker = OTHERS, DEFAULT_TRACKER
        _places.add((path, tracker))
    directory = leaf_directory(base_directory(None), path, tracker, None)
    return DeadLetters(directory / "dead", DeliveryOptions().max_dead_letter_bytes)
