"""Events in their normal form, beside their JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from eventtracking_core import Event
from eventtracking_core.encoding import encode_lines, with_parts

__all__ = ["Row", "rows_of"]


class Row(NamedTuple):
    """An event that has all its parts, and its JSON."""

    event: Event
    text: bytes


def rows_of(events: Sequence[Event]) -> tuple[dict[int, Row], dict[int, Exception]]:
    """Return the rows of events, and what failed; both by index."""
    events = with_parts(events)
    texts, failures = encode_lines(events)
    return {index: Row(events[index], text) for index, text in texts.items()}, failures
