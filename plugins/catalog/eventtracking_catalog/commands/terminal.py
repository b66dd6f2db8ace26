"""Printing what came from logs: nothing in it may act on the terminal."""

from __future__ import annotations

__all__ = ["no_events", "plain"]


def plain(text: str) -> str:
    """Return a text as one line of printable characters, the others escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def no_events(lines: int) -> str:
    """Return how many lines were no events, in words."""
    return "1 line was no event" if lines == 1 else f"{lines:,} lines were no events"
