"""What came along with the request, in OpenTelemetry's baggage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from opentelemetry.baggage import get_all

__all__ = ["Baggage"]

MAX_VALUE: Final = 1024
"""Characters: baggage is of whoever made the request, and everybody on its way."""


class Baggage:
    """Puts members of the present baggage into events, under their own names.

    Baggage arrives from outside, so only what is named is taken, and texts are cut at 1,024
    characters.

    Args:
        keys: names of the members to take.

    Raises:
        ValueError: no member is named.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if isinstance(keys, str) or not keys:
            raise ValueError("keys must list the members of the baggage to take")
        self._keys = tuple(keys)

    def __call__(self) -> Mapping[str, object]:
        """Return the listed members that are there."""
        baggage = get_all()
        return {key: _cut(baggage[key]) for key in self._keys if key in baggage} if baggage else {}


def _cut(value: object) -> object:
    return value[:MAX_VALUE] if isinstance(value, str) else value
