"""Text that is safe to print."""

from __future__ import annotations

__all__ = ["count", "plain"]


def plain(text: object) -> str:
    """Return a text as one line of printable characters, the others escaped."""
    line = str(text)
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def count(number: int, noun: str) -> str:
    """Return `1 line`, `2,000 lines`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
