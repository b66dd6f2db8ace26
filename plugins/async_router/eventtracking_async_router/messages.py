"""The form of a message: a batch of events, for which node they are, and where they come from."""

from __future__ import annotations

import binascii
import os
import socket
import sys
import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from eventtracking_core.delivery.attempt import QueuedEvent
from eventtracking_core.encoding import normal_from_msgpack
from eventtracking_core.events import clean_name

__all__ = [
    "VERSION",
    "Message",
    "MessageError",
    "Origin",
    "Parcel",
    "item",
    "origin",
    "pack",
    "unpack",
]

VERSION: Final = 1
MAX_BYTES: Final = 80 * 1024 * 1024
"""Of a batch in MessagePack; a sender is limited to less."""

MAX_EVENTS: Final = 100_000

_FIELDS: Final = {"id": str, "name": str, "timestamp": datetime, "context": dict, "data": dict}

_Name = Annotated[str, msgspec.Meta(max_length=1000)]
# What a configuration makes of names: quoted, so that no part of a path can lead elsewhere.
_Path = Annotated[str, msgspec.Meta(max_length=1000, pattern=r"^[\w~% -]+(\.[\w~% -]+)*$")]


class MessageError(Exception):
    """A message is not of the form; the text says how, and quotes nothing of it."""


class Origin(msgspec.Struct, frozen=True):
    """Who sent a message, as it says itself."""

    host: Annotated[str, msgspec.Meta(max_length=255)] = ""
    pid: int = 0
    program: Annotated[str, msgspec.Meta(max_length=255)] = ""

    def __str__(self) -> str:
        return f"{clean_name(self.program)} on {clean_name(self.host)}, process {self.pid}"


class Parcel(msgspec.Struct, array_like=True):
    """An event in MessagePack, with how attempts to deliver it went."""

    wire: bytes
    attempts: int = 0
    poison_strikes: int = 0


class Message(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What travels, as JSON.

    Attributes:
        version: of this form.
        tracker: the name of the tracker that has the node.
        node: the path of the node below which the events are to be routed.
        events: the batch: MessagePack, compressed, as text.
        origin: who sent it.
        leaf: the path of the one leaf it is for, past all processors: a further attempt.
        since: when its delivery failed first, in seconds since 1970.
        last: when it failed last.
    """

    version: int
    tracker: _Name
    node: _Path
    events: str
    origin: Origin = Origin()
    leaf: _Path | None = None
    since: float | None = None
    last: float | None = None

    @classmethod
    def read(cls, document: object) -> Message:
        """Return a message that arrived.

        Raises:
            MessageError: it is not of the form.
        """
        try:
            return msgspec.convert(document, cls)
        except msgspec.ValidationError as error:
            # Its texts name fields and types; one that quotes a value begins otherwise.
            text = str(error)
            said = text if text.startswith(("Expected", "Object")) else "a field is of a wrong form"
            raise MessageError(said) from None

    def document(self) -> dict[str, Any]:
        """Return the message in values that JSON has."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        return document


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[Parcel]).decode


def pack(parcels: Sequence[Parcel]) -> str:
    """Return a batch as text. Events resemble each other: a tenth of their bytes is left."""
    return binascii.b2a_base64(zlib.compress(_encode(parcels), 1), newline=False).decode()


def unpack(text: str) -> list[Parcel]:
    """Return the batch that a text holds.

    Raises:
        MessageError: it holds none, or too much.
    """
    if len(text) > MAX_BYTES:
        raise MessageError("the events are too large")
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(binascii.a2b_base64(text, strict_mode=True), MAX_BYTES)
    except (ValueError, zlib.error):
        raise MessageError("the events are no compressed text") from None
    if inflater.unconsumed_tail or not inflater.eof:
        raise MessageError("the events are too large, or cut off")
    try:
        parcels = _decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise MessageError("the events are no batch") from None
    if len(parcels) > MAX_EVENTS:
        raise MessageError("there are too many events")
    return parcels


def item(parcel: Parcel) -> QueuedEvent:
    """Return an event on its way to a backend.

    Raises:
        ValueError: the bytes are no event.
    """
    event = normal_from_msgpack(parcel.wire)
    if not all(isinstance(event.get(key), kind) for key, kind in _FIELDS.items()):
        raise ValueError("not an event")
    made = QueuedEvent(parcel.wire, event, None)
    made.attempts = parcel.attempts
    made.poison_strikes = parcel.poison_strikes
    return made


def origin() -> Origin:
    """Return who this process is."""
    return Origin(socket.gethostname()[:255], os.getpid(), Path(sys.argv[0]).name[:255])
