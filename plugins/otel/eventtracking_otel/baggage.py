"""A context provider for OpenTelemetry's baggage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from opentelemetry.baggage import get_all

__all__ = ["Baggage"]

MAX_VALUE: Final = 1024
"""Maximum length in characters: baggage comes from outside and is untrusted."""


class Baggage:
    """Adds members of the current baggage to events, under their own names.

    Baggage is untrusted, so only listed members are added, and texts are cut at 1,024 characters.

    Args:
        keys: names of the members to add.

    Raises:
        ValueError: no member is listed.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if isinstance(keys, str) or not keys:
            raise ValueError("keys must list the members of the baggage to add")
        self._keys = tuple(keys)

    def __call__(self) -> Mapping[str, object]:
        """Return the listed members of the current baggage."""
        baggage = get_all()
        return {key: _cut(baggage[key]) for key in self._keys if key in baggage} if baggage else {}


def _cut(value: object) -> object:
    return value[:MAX_VALUE] if isinstance(value, str) else value
