"""What becomes of events that are not registered, not as registered, or large."""

from __future__ import annotations

from typing import Final, Literal

from eventtracking_core.options import ByteSize

__all__ = ["DEFAULT", "Invalid", "Policies", "Unregistered"]

Unregistered = Literal["allow", "warn", "reject"]
Invalid = Literal["allow", "warn", "dead_letter"]


class Policies:
    """What becomes of events that are not as they should be; by default, none is lost.

    Args:
        unregistered: an event whose type nobody registered: `allow` it; `warn` of it, once any
            type is registered; or `reject` it.
        invalid: an event that is not as its type says: `allow` it; `warn` of it; or put it into
            the `dead_letter`s of the backends that have some, the others drop it.
        max_event_size: bytes above which to warn of an event, as estimated.

    Raises:
        ValueError: the size is less than one byte.
    """

    __slots__ = ("invalid", "max_event_size", "unregistered")

    def __init__(
        self,
        unregistered: Unregistered = "warn",
        invalid: Invalid = "warn",
        max_event_size: ByteSize = 64 * 1024,
    ) -> None:
        if max_event_size < 1:
            raise ValueError("max_event_size must be at least 1 byte")
        self.unregistered = unregistered
        self.invalid = invalid
        self.max_event_size = max_event_size


DEFAULT: Final = Policies()
