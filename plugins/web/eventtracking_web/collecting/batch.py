"""The events of a request: read, checked one by one, and given ids and times of the server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, Generic, TypeVar

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


EventT = TypeVar("EventT")


class Batch(msgspec.Struct, Generic[EventT]):
    """A request of a client."""

    key: str
    events: list[EventT]
    client: str = ""
    sent_at: str | None = None


class Sent(msgspec.Struct, gc=False):
    """An event as a client sends it."""

    id: str
    name: str
    timestamp: str | None = None
    data: dict[str, Any] = {}
    context: dict[str, Any] = {}


class Item(msgspec.Struct, gc=False):
    """An event that may be sent."""

    id: str
    name: str
    timestamp: datetime
    data: dict[str, Any]
    context: dict[str, Any]


_whole: Final = msgspec.json.Decoder(Batch[Sent])
_parts: Final = msgspec.json.Decoder(Batch[msgspec.Raw])
_event: Final = msgspec.json.Decoder(Sent)


def read(body: bytes) -> Batch[Sent] | Batch[msgspec.Raw]:
    """Return the batch in a body: its events are decoded already where that is one step for all.

    Raises:
        RefusedError: it is no batch, or has too many events.
    """
    batch = _decoded(body)
    if len(batch.events) > MAX_EVENTS:
        raise RefusedError(413, f"a batch may have {MAX_EVENTS} events")
    if len(batch.client) > MAX_ID:
        raise RefusedError(400, f"client may have {MAX_ID} characters")
    return batch


def _decoded(body: bytes) -> Batch[Sent] | Batch[msgspec.Raw]:
    if len(body) <= MAX_EVENT_SIZE:  # so no event is larger
        try:
            return _whole.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            pass  # perhaps an event is wrong, not the batch
    try:
        return _parts.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise RefusedError(400, "the body must be JSON: an object with key and events") from None


def items(batch: Batch[Sent] | Batch[msgspec.Raw], received: datetime) -> Iterator[Item | str]:
    """Yield each event of a batch, or what is wrong with it."""
    sent_at = _moment(batch.sent_at)
    skew = received - sent_at if sent_at is not None else timedelta()
    stored_id = _ids(batch)
    for each in batch.events:
        sent = each if isinstance(each, Sent) else _sent(memoryview(each))
        if isinstance(sent, str):
            yield sent
        elif error := _error(sent):
            yield error
        else:
            timestamp = _corrected(_moment(sent.timestamp), skew, received)
            yield Item(stored_id(sent.id), sent.name, timestamp, sent.data, sent.context)


def _corrected(moment: datetime | None, skew: timedelta, received: datetime) -> datetime:
    """Return the time of an event by our clock, neither after its arrival nor too long before."""
    if moment is None:
        return received
    try:
        return min(max(moment + skew, received - MAX_AGE), received)
    except OverflowError:
        return received


def _sent(raw: memoryview) -> Sent | str:
    """Return an event as a client sent it, or why it cannot be read."""
    if len(raw) > MAX_EVENT_SIZE:
        return f"an event may have {MAX_EVENT_SIZE} bytes"
    try:
        return _event.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return "an event is an object with id, name, and optionally timestamp, data and context"


def _error(sent: Sent) -> str | None:
    """Return what is wrong with an event."""
    if not 0 < len(sent.id) <= MAX_ID:
        return f"id must have 1 to {MAX_ID} characters"
    if not 0 < len(sent.name) <= MAX_NAME or not sent.name.isprintable():
        return f"name must have 1 to {MAX_NAME} printable characters"
    return None


def _moment(text: str | None) -> datetime | None:
    """Return the time that a client says, in UTC, if it can be read."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is UTC:
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _ids(batch: Batch[Sent] | Batch[msgspec.Raw]) -> Callable[[str], str]:
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
