"""Values that MessagePack has no form for, and some sink does: the types of BSON."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

import msgspec

from eventtracking_core.encoding._converters import converting
from eventtracking_core.encoding._limits import MAX_TEXT
from eventtracking_core.encoding._plain import is_bson
from eventtracking_core.encoding._walk import UNREADABLE, Walk
from eventtracking_core.lifecycle.interrupts import pass_on

__all__ = ["BSON", "Revive", "plain_hook", "reviving_hook", "to_wire"]

BSON: Final = 1
"""The extension type: the plain form, and a BSON document with the value as its field `v`."""

Revive = Callable[[bytes], Any]

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(tuple[str | int, bytes]).decode


def to_wire(value: Any) -> Any:
    """Return bytes, or the extension type of a value of BSON's."""
    if not is_bson(type(value)):
        return bytes(value)
    plain = Walk(converting(str)).run(value)
    try:
        document = sys.modules["bson"].encode({"v": value})
        whole = _encode((plain, document))
    except Exception as error:  # noqa: BLE001  what BSON refuses has its plain form
        pass_on(error)
        return plain
    return msgspec.msgpack.Ext(BSON, whole) if len(whole) <= MAX_TEXT else plain


def plain_hook(code: int, data: memoryview) -> str | int:
    """Return the plain form of an extension type."""
    return _decode(data)[0] if code == BSON else UNREADABLE


def reviving_hook(revive: Revive) -> Callable[[int, memoryview], Any]:
    """Return a hook that gets values back as they were."""

    def hook(code: int, data: memoryview) -> Any:
        if code != BSON:
            return UNREADABLE
        plain, document = _decode(data)
        try:
            return revive(document)
        except Exception as error:  # noqa: BLE001  of a library that is older, or missing
            pass_on(error)
            return plain

    return hook
