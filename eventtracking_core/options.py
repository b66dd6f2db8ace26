"""Types to annotate a component's options with, where the plain ones say too little."""

from __future__ import annotations

import re
from typing import Annotated, Final

__all__ = [
    "MAX_BYTES",
    "MAX_SECONDS",
    "ByteSize",
    "Regex",
    "Seconds",
    "Unit",
    "parse_duration",
    "parse_size",
]

MAX_BYTES: Final = 2**63 - 1
MAX_SECONDS: Final = 100 * 365 * 86_400.0
"""A hundred years: the clocks of the system refuse to wait much longer."""

_SIZES: Final = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}
_DURATIONS: Final = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_QUANTITY: Final = re.compile(r"\s*(\d{1,18}(?:\.\d{1,18})?)\s*([A-Za-z]{1,20})\s*")


class Unit:
    """What the number or the text of an option is."""

    def __init__(self, name: str) -> None:
        self.name = name


BYTES: Final = Unit("bytes")
SECONDS: Final = Unit("seconds")
REGEX: Final = Unit("regular expression")

ByteSize = Annotated[int, BYTES]
"""A number of bytes; configurations may also say `"64 MiB"`."""

Seconds = Annotated[float, SECONDS]
"""A duration in seconds; configurations may also say `"30s"`, `"2h"` or `"3d"`."""

Regex = Annotated[str, REGEX]
"""A regular expression; a configuration is refused where it does not compile."""


def parse_size(text: str) -> int | None:
    """Return the bytes of a text such as `64 MiB`; None if it is not a number with a unit.

    Raises:
        ValueError: the unit is unknown.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    factor = _SIZES.get(match[2].upper())
    if factor is None:
        raise ValueError("unknown unit of size (expected one of: B, KB, MB, GB, KiB, MiB, GiB)")
    return int(float(match[1]) * factor) if "." in match[1] else int(match[1]) * factor


def parse_duration(text: str) -> float | None:
    """Return the seconds of a text such as `2h`; None if it is not a number with a unit.

    Raises:
        ValueError: the unit is unknown.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    factor = _DURATIONS.get(match[2].lower())
    if factor is None:
        raise ValueError("unknown unit of time (expected one of: ms, s, m, h, d, w)")
    return float(match[1]) * factor
