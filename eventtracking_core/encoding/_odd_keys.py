"""Decode MessagePack with map keys that Python cannot hash, which the decoder in C refuses.

The encoder writes a frozen dataclass, say, as a map, also where it is a key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from eventtracking_core._text import kind_name
from eventtracking_core.encoding._keys import put

__all__ = ["decoder"]

Hook = Callable[[int, memoryview], Any]

_REFUSED: Final = "hashable"
"""In the message about such a key: a `DecodeError`, before msgspec 0.22 a `TypeError`."""

_SIZES: Final = {
    0xC4: 1,
    0xC5: 2,
    0xC6: 4,  # bin
    0xC7: 1,
    0xC8: 2,
    0xC9: 4,  # ext
    0xD9: 1,
    0xDA: 2,
    0xDB: 4,  # str
}
"""Bytes of the length that follows a tag."""

_FIXED: Final = {
    0xC0: 0,
    0xC2: 0,
    0xC3: 0,
    0xCA: 4,
    0xCB: 8,
    0xCC: 1,
    0xCD: 2,
    0xCE: 4,
    0xCF: 8,
    0xD0: 1,
    0xD1: 2,
    0xD2: 4,
    0xD3: 8,
    0xD4: 2,
    0xD5: 3,
    0xD6: 5,
    0xD7: 9,
    0xD8: 17,
}
"""Bytes that follow the tags of nil, booleans, numbers and short extensions."""

_EXTENSIONS: Final = range(0xC7, 0xCA)
_SHORT_TEXTS: Final = range(0xA0, 0xC0)
_CONTAINERS: Final = {0xDC: (list, 2), 0xDD: (list, 4), 0xDE: (dict, 2), 0xDF: (dict, 4)}


def decoder(hook: Hook) -> Callable[[bytes], dict[str, Any]]:
    """Return a function that decodes a map; a key that cannot be hashed becomes a marker.

    Args:
        hook: returns the value of an extension type.
    """
    decode = msgspec.msgpack.Decoder(dict[str, Any], ext_hook=hook).decode

    def decoded(wire: bytes) -> dict[str, Any]:
        try:
            return decode(wire)
        except (TypeError, msgspec.DecodeError) as error:
            if _REFUSED not in str(error):
                raise
            return _read(wire, hook, str(error))

    return decoded


def _read(wire: bytes, hook: Hook, refusal: str) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = _Reader(wire, hook).item()
    except (LookupError, RecursionError, TypeError, ValueError):  # damaged in another way too
        raise msgspec.DecodeError(refusal) from None
    return fields


class _Reader:
    """Reads one item after the other; the decoder in C reads each that is not a container.

    Args:
        wire: MessagePack as an encoder wrote it.
        hook: returns the value of an extension type.
    """

    def __init__(self, wire: bytes, hook: Hook) -> None:
        self._wire = wire
        self._at = 0
        self._decode = msgspec.msgpack.Decoder(ext_hook=hook).decode

    def item(self) -> Any:
        tag = self._wire[self._at]
        kind, number, size = _container(tag)
        if kind is None:
            end = self._at + 1 + self._length(tag)
            value = self._decode(self._wire[self._at : end])
            self._at = end
            return value
        self._at += 1
        if size:
            number = self._number(size)
            self._at += size
        return self._map(number) if kind is dict else [self.item() for _ in range(number)]

    def _map(self, number: int) -> dict[Any, Any]:
        fields: dict[Any, Any] = {}
        for _ in range(number):
            key = _tuples(self.item())
            try:
                hash(key)
            except TypeError:
                put(fields, f"<{kind_name(key, qualified=True)}>", self.item(), str)
            else:
                fields[key] = self.item()
        return fields

    def _length(self, tag: int) -> int:
        """Return how many bytes follow the tag of an item that is not a container."""
        if tag in _SIZES:
            size = _SIZES[tag]
            self._at += 1
            number = self._number(size)
            self._at -= 1
            return size + number + (tag in _EXTENSIONS)
        return tag & 0x1F if tag in _SHORT_TEXTS else _FIXED.get(tag, 0)

    def _number(self, size: int) -> int:
        return int.from_bytes(self._wire[self._at : self._at + size])


def _tuples(key: Any) -> Any:
    """Return a key with tuples for lists, as the decoder in C has them in keys."""
    return tuple(map(_tuples, key)) if isinstance(key, list) else key


def _container(tag: int) -> tuple[type | None, int, int]:
    """Return the type of a container, the items in its tag, and the bytes of their number after."""
    if tag >> 4 in (0x8, 0x9):
        return (dict if tag >> 4 == 0x8 else list), tag & 0x0F, 0  # noqa: PLR2004  of the format
    kind, size = _CONTAINERS.get(tag, (None, 0))
    return kind, 0, size
