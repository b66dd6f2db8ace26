"""Whether code runs in an event loop, where Django refuses to use a database."""

from __future__ import annotations

import asyncio

__all__ = ["is_async"]


def is_async() -> bool:
    """Return whether the current thread runs an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
