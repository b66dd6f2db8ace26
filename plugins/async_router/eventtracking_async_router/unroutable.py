"""Messages for a node that this worker's configuration does not have: kept as dead letters."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eventtracking_core.delivery import DeadLetter, DeadLetters, DeliveryOptions
from eventtracking_core.delivery.attempt import Item
from eventtracking_core.delivery.leaf import DEFAULT_DIRECTORY, SPOOL_DIRECTORY
from eventtracking_core.diagnostics import report

if TYPE_CHECKING:
    from eventtracking_async_router.messages import Message

__all__ = ["dead_letter"]

MAX_PLACES: Final = 100
"""Names that strangers may make up; further ones share a place."""

OTHERS: Final = "unknown"

_places: Final[set[str]] = set()


def dead_letter(message: Message, items: Sequence[Item], reason: str) -> None:
    """Keep the events of a message as dead letters, at the path of the node it names.

    There they are listed and replayed once the configuration has that node.

    Raises:
        OSError: they cannot be written.
    """
    path = message.leaf or message.node
    error = f"{reason}: tracker {message.tracker!r}, {path!r}; sent by {message.origin}"
    kept = _letters(path).add(
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


def _letters(path: str) -> DeadLetters:
    if path not in _places:
        if len(_places) >= MAX_PLACES:
            path = OTHERS
        _places.add(path)
    base = os.environ.get(SPOOL_DIRECTORY) or DEFAULT_DIRECTORY
    limit = DeliveryOptions().max_dead_letter_bytes
    return DeadLetters(Path(base).absolute() / path / "dead", limit)
