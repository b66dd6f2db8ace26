"""Types to annotate a component's options with, where the plain ones say too little."""

from __future__ import annotations

from typing import Annotated, Final

__all__ = ["SIZE_UNITS", "ByteSize", "Seconds"]

SIZE_UNITS: Final = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
}


class _Unit:
    """Says in which unit a number is."""

    def __init__(self, name: str) -> None:
        self.name = name


BYTES: Final = _Unit("bytes")
SECONDS: Final = _Unit("seconds")

ByteSize = Annotated[int, BYTES]
"""A number of bytes; configurations may also say `"64 MiB"`."""

Seconds = Annotated[float, SECONDS]
"""A duration in seconds."""
