"""The units of options: what their numbers and texts stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final

__all__ = [
    "BYTES",
    "MAX_BYTES",
    "MAX_SECONDS",
    "REGEX",
    "SECONDS",
    "ByteSize",
    "Regex",
    "Seconds",
    "Unit",
    "compile_pattern",
    "parse_duration",
    "parse_size",
]

MAX_BYTES: Final = 2**63 - 1
MAX_SECONDS: Final = 100 * 365 * 86_400.0
"""A hundred years: the clocks of the system refuse to wait much longer."""

_SIZES: Final = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_DURATIONS: Final = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_QUANTITY: Final = r"\s*(\d{1,18}(?:\.\d{1,18})?)\s*([A-Za-z]{1,20})\s*"


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
    quantity = _quantity(text, _SIZES, "size (expected one of: B, KB, MB, GB, KiB, MiB, GiB)")
    if quantity is None:
        return None
    number, factor = quantity
    return int(float(number) * factor) if "." in number else int(number) * int(factor)


def parse_duration(text: str) -> float | None:
    """Return the seconds of a text such as `2h`; None if it is not a number with a unit.

    Raises:
        ValueError: the unit is unknown.
    """
    quantity = _quantity(text, _DURATIONS, "time (expected one of: ms, s, m, h, d, w)")
    return None if quantity is None else float(quantity[0]) * quantity[1]


def _quantity(text: str, units: Mapping[str, float], unit: str) -> tuple[str, float] | None:
    """Return the digits of a text such as `64 MiB`, and what its unit stands for."""
    match = re.fullmatch(_QUANTITY, text)
    if match is None:
        return None
    factor = units.get(match[2].lower())
    if factor is None:
        raise ValueError(f"unknown unit of {unit}")
    return match[1], factor


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return a compiled regular expression.

    Raises:
        ValueError: it does not compile; the message has no part of it.
    """
    try:
        return re.compile(pattern)
    except re.error as error:  # what it says besides may quote the pattern
        at = "" if error.pos is None else f", at character {error.pos}"
        raise ValueError(f"does not compile{at}") from error
    except (OverflowError, RecursionError, Warning) as error:
        raise ValueError("does not compile") from error
