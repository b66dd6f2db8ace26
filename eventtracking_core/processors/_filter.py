"""The base class of filters."""

from __future__ import annotations

from typing import ClassVar

__all__ = ["Filter"]


class Filter:
    """Drops the events that do not pass; also those on which it fails."""

    mutates: ClassVar[bool] = False
    on_error: ClassVar[str] = "drop"
