"""How much of an event is kept."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_DEPTH", "MAX_NODES", "MAX_TEXT"]

MAX_TEXT: Final = 256 * 1024
"""Characters of a text."""

MAX_DEPTH: Final = 64
MAX_NODES: Final = 20_000
