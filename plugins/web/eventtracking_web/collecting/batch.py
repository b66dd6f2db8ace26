"""The events of a request: read, checked one by one, and given ids and times of the server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from eventtracking_web.collecting.answers import RefusedError

__all__ = ["MAX_EVENTS", "MAX_EVENT_SIZE", "Batch", "Item", "items", "read"]

MAX_EVENTS: Final = 500
MAX_EVENT_SIZE: Final = 32 * 1024
MAX_NAME: Final = 255
MAX_ID: Final = 64
MAX_AGE: Final = timedelta(days=7)
"""How old an event may be; the time of an older one is moved there."""

_UUID7: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_VARIANTS: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The digit of a UUID that names its variant, by the one that stands there."""


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
    data: dict[str, Any]
    context: dict[str, Any]


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
    oldest = received - MAX_AGE
    stored_id = _ids(batch)
    for raw in batch.events:
        sent = _sent(memoryview(raw))
        if isinstance(sent, str):
            yield sent
            continue
        moment = _moment(sent.timestamp)
        try:
            corrected = received if moment is None else moment + skew
        except OverflowError:
            corrected = received
        timestamp = min(max(corrected, oldest), received)
        yield Item(stored_id(sent.id), sent.name, timestamp, sent.data, sent.context)


def _sent(raw: memoryview) -> _Sent | str:
    """Return an event as a client sent it, or what is wrong with it."""
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
    return sent


def _moment(text: str | None) -> datetime | None:
    """Return the time that a client says, if it can be read."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _ids(batch: Batch) -> Callable[[str], str]:
    """Return a function that returns the id under which an event is stored.

    It is the same for a repeated event, and no other client can choose it. It begins with the time
    in the client's id, if that is a UUIDv7.
    """
    of_client = blake2b(_framed(batch.key) + _framed(batch.client), digest_size=16)

    def stored_id(client_id: str) -> str:
        hashed = of_client.copy()
        hashed.update(client_id.encode("utf-8", "surrogatepass"))
        digits = hashed.hexdigest()
        if _UUID7.fullmatch(client_id):
            begin, version = client_id[:13], 7
        else:
            begin, version = f"{digits[:8]}-{digits[8:12]}", 8
        return (
            f"{begin}-{version}{digits[13:16]}-{_VARIANTS[digits[16]]}{digits[17:20]}-{digits[20:]}"
        )

    return stored_id


def _framed(text: str) -> bytes:
    """Return a text with its length before it, so that no other texts have the same bytes."""
    return len(text).to_bytes(4) + text.encode("utf-8", "surrogatepass")
