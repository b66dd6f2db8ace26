"""Text that is safe to print."""

from __future__ import annotations

import sys

from eventtracking_core._text import counted as count
from eventtracking_core._text import escaped

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
    return escaped(str(text))
