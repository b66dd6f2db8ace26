"""Printing what came from logs: nothing in it may act on the terminal."""

from __future__ import annotations

__all__ = ["plain"]


def plain(text: str) -> str:
    """Return a text as one line of printable characters, the others escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
