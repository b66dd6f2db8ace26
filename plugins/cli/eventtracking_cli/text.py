"""Text that is safe to print."""

from __future__ import annotations

import sys

__all__ = ["count", "plain", "symbol"]


def symbol(preferred: str, otherwise: str) -> str:
    """Return a character, or another where the output's encoding lacks it."""
    try:
        preferred.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return otherwise
    return preferred


def plain(text: object) -> str:
    """Return a text as one line of printable characters, the others escaped."""
    line = str(text)
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def count(number: int, noun: str) -> str:
    """Return `1 line`, `2,000 lines`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
