"""The events of a request: read, checked one by one, and given ids and times of the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from eventtracking_web.collecting.answers import RefusedError

__all__ = ["MAX_EVENTS", "MAX_EVENT_SIZE", "Batch", "Item", "items", "read"]

MAX_EVENTS: Final = 500
MAX_EVENT_SIZE: Final = 32 * 1024
MAX_NAME: Final = 255
MAX_ID: Final = 64
MAX_AGE: Final = timedelta(days=7)
"""How old an event may be; the time of an older one is moved there."""

_TIME_BITS: Final = 48
_UUID7: Final = 7


class Batch(msgspec.Struct):
    """What a client sends."""

    key: str
    events: list[msgspec.Raw]
    client: str = ""
    sent_at: str | None = None


class _Sent(msgspec.Struct):
    id: str
    name: str
    timestamp: str | None = None
    data: dict[str, Any] = {}
    context: dict[str, Any] = {}


class Item(NamedTuple):
    """An event that may be sent."""

    id: str
    name: str
    timestamp: datetime
    data: Mapping[str, Any]
    context: Mapping[str, Any]


_batches: Final = msgspec.json.Decoder(Batch)
_events: Final = msgspec.json.Decoder(_Sent)


def read(body: bytes) -> Batch:
    """Return the batch in a body.

    Raises:
        RefusedError: it is no batch, or has too many events.
    """
    try:
        batch = _batches.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise RefusedError(400, "the body must be JSON: an object with key and events") from None
    if len(batch.events) > MAX_EVENTS:
        raise RefusedError(413, f"a batch may have {MAX_EVENTS} events")
    if len(batch.client) > MAX_ID:
        raise RefusedError(400, f"client may have {MAX_ID} characters")
    return batch


def items(batch: Batch, received: datetime) -> Iterator[Item | str]:
    """Yield each event of a batch, or what is wrong with it."""
    sent_at = _moment(batch.sent_at)
    skew = received - sent_at if sent_at is not None else timedelta()
    for raw in batch.events:
        yield _item(bytes(raw), batch, skew, received)


def _item(raw: bytes, batch: Batch, skew: timedelta, received: datetime) -> Item | str:
    if len(raw) > MAX_EVENT_SIZE:
        return f"an event may have {MAX_EVENT_SIZE} bytes"
    try:
        sent = _events.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return "an event is an object with id, name, and optionally timestamp, data and context"
    if not 0 < len(sent.id) <= MAX_ID:
        return f"id must have 1 to {MAX_ID} characters"
    if not 0 < len(sent.name) <= MAX_NAME or not sent.name.isprintable():
        return f"name must have 1 to {MAX_NAME} printable characters"
    moment = _moment(sent.timestamp)
    try:
        corrected = received if moment is None else moment + skew
    except OverflowError:
        corrected = received
    timestamp = min(max(corrected, received - MAX_AGE), received)
    return Item(_stored_id(batch, sent.id), sent.name, timestamp, sent.data, sent.context)


def _moment(text: str | None) -> datetime | None:
    """Return the time that a client says, if it can be read."""
    if text is None:
        return None
    try:
        moment = msgspec.convert(text, datetime)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (msgspec.ValidationError, ValueError, OverflowError):
        return None


def _stored_id(batch: Batch, client_id: str) -> str:
    """Return an id that is the same for a repeated event, and that no other client can choose.

    It begins with the time in the client's id, if that is a UUIDv7.
    """
    parts = (batch.key, batch.client, client_id)
    hashed = sha256(b"".join(len(part).to_bytes(4) + _bytes(part) for part in parts)).digest()
    number = int.from_bytes(hashed[:16])
    try:
        said = UUID(client_id)
    except ValueError:
        return str(UUID(int=_with_version(number, 8)))
    if said.version != _UUID7:
        return str(UUID(int=_with_version(number, 8)))
    low = 128 - _TIME_BITS
    return str(UUID(int=_with_version(said.int >> low << low | number & ((1 << low) - 1), _UUID7)))


def _with_version(number: int, version: int) -> int:
    number = number & ~(0xF << 76) | version << 76
    return number & ~(0x3 << 62) | 0x2 << 62


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
