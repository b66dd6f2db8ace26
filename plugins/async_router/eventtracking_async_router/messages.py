"""The format of a message: a batch of events, the node it is for, and the process that sent it."""

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

from eventtracking_core.delivery.queued import QueuedEvent
from eventtracking_core.encoding import normal_from_msgpack
from eventtracking_core.events import clean_name

__all__ = [
    "TASK",
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

TASK: Final = "eventtracking.deliver"
"""The name of the task that delivers a message."""

VERSION: Final = 1
MAX_BYTES: Final = 80 * 1024 * 1024
"""Maximum size of a batch in MessagePack; publishers have a lower limit."""

MAX_EVENTS: Final = 100_000

_FIELDS: Final = {"id": str, "name": str, "timestamp": datetime, "context": dict, "data": dict}

_Name = Annotated[str, msgspec.Meta(max_length=1000)]
# Quoted names, as a configuration makes them: no part of a path can lead to another directory.
_Path = Annotated[str, msgspec.Meta(max_length=1000, pattern=r"^[\w~% -]+(\.[\w~% -]+)*$")]


class MessageError(Exception):
    """A message is malformed; the text says how, without quoting the message."""


class Origin(msgspec.Struct, frozen=True):
    """The sender of a message, as the message says."""

    host: Annotated[str, msgspec.Meta(max_length=255)] = ""
    pid: int = 0
    program: Annotated[str, msgspec.Meta(max_length=255)] = ""

    def __str__(self) -> str:
        return f"{clean_name(self.program)} on {clean_name(self.host)}, process {self.pid}"


class Parcel(msgspec.Struct, array_like=True):
    """An event in MessagePack, with the outcome of earlier delivery attempts."""

    wire: bytes
    attempts: int = 0
    poison_strikes: int = 0


class Message(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A message, sent as JSON.

    Attributes:
        version: the version of this format.
        tracker: the name of the tracker that has the node.
        node: the path of the node below which to route the events.
        events: the batch: MessagePack, compressed, in Base64.
        origin: the sender.
        leaf: for a retry, the path of the only leaf to deliver to, past all processors.
        since: time of the first failed attempt, in seconds since 1970.
        last: time of the last one.
        deaths: how many processes died while they delivered the event in this message.
    """

    version: int
    tracker: _Name
    node: _Path
    events: str
    origin: Origin = Origin()
    leaf: _Path | None = None
    since: float | None = None
    last: float | None = None
    deaths: Annotated[int, msgspec.Meta(ge=0)] = 0

    @classmethod
    def read(cls, document: object) -> Message:
        """Return a message from a received document.

        Raises:
            MessageError: it is malformed.
        """
        try:
            return msgspec.convert(document, cls)
        except msgspec.ValidationError as error:
            # msgspec's messages name fields and types. Those that quote a value begin differently.
            text = str(error)
            is_safe = text.startswith(("Expected", "Object"))
            raise MessageError(text if is_safe else "a field is malformed") from None

    def document(self) -> dict[str, Any]:
        """Return the message as JSON types."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        return document


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[Parcel]).decode


def pack(parcels: Sequence[Parcel]) -> str:
    """Return a batch as text, compressed: similar events shrink to about a tenth."""
    return binascii.b2a_base64(zlib.compress(_encode(parcels), 1), newline=False).decode()


def unpack(text: str) -> list[Parcel]:
    """Return the batch in a text.

    Raises:
        MessageError: the text has no batch, or it is too large.
    """
    if len(text) > MAX_BYTES:
        raise MessageError("the events are too large")
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(binascii.a2b_base64(text, strict_mode=True), MAX_BYTES)
    except (ValueError, zlib.error):
        raise MessageError("the events are not compressed text") from None
    if inflater.unconsumed_tail or not inflater.eof:
        raise MessageError("the events are too large, or truncated")
    try:
        parcels = _decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise MessageError("the events are not a batch") from None
    if len(parcels) > MAX_EVENTS:
        raise MessageError("there are too many events")
    return parcels


def item(parcel: Parcel) -> QueuedEvent:
    """Return the queued event of a parcel.

    Raises:
        ValueError: the bytes are not an event.
    """
    event = normal_from_msgpack(parcel.wire)
    if not all(isinstance(event.get(key), kind) for key, kind in _FIELDS.items()):
        raise ValueError("not an event")
    queued = QueuedEvent(parcel.wire, event, None)
    queued.attempts = parcel.attempts
    queued.poison_strikes = parcel.poison_strikes
    return queued


def origin() -> Origin:
    """Return the origin of messages from this process."""
    return Origin(socket.gethostname()[:255], os.getpid(), Path(sys.argv[0]).name[:255])
