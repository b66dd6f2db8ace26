"""Parse a line of a log: events of ours, plain ones or edX tracking lines, and records."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain
from typing import Any, Final, NamedTuple, TypeGuard

import msgspec

from eventtracking_core.events import UNKNOWN, Event
from eventtracking_core.logs.scanning import Record, RejectedLineError, objects
from eventtracking_core.logs.values import EPOCH, from_extended_json, unpacked
from eventtracking_core.registry import EventType

__all__ = ["MAX_ID", "Entry", "Rejected", "is_surely_normal", "parse_line"]

MAX_ID: Final = 255
MAX_WRAPPERS: Final = 4
MAX_SURE: Final = 16 * 1024
"""Bytes of the longest line that surely has neither too many values nor too much text."""

MAX_BRACKETS: Final = 64
"""Brackets of a line that surely does not nest too deep."""

_BACKSLASH, _DOLLAR = b"\\$"  # single bytes are found in no time

_TYPE_IDS: Final = ("name_id", "context_type_id")
_CONTENT: Final = frozenset({"context", "data", "event"})

_WRAPPED: Final = (
    "log",  # Docker, Fluentd
    "message",  # Vector, Logstash, Filebeat, CloudWatch
    "MESSAGE",  # journald
    "msg",
    "line",  # Loki
    "textPayload",  # Google Cloud
    "jsonPayload",
    "_source",  # Elasticsearch
    "_raw",  # Splunk
    "result",
    "event",
)
"""Fields in which collectors of logs keep a line, or the object it held."""


class Rejected(NamedTuple):
    """A line, or a part of one, that is neither an event nor a record."""

    reason: str


Entry = Event | EventType | Rejected

_MILLISECOND: Final = timedelta(milliseconds=1)
_encode_sorted: Final = msgspec.json.Encoder(order="sorted").encode
# What it may write otherwise than `json.dumps`, in a fifth of the time.
_SMALL: Final = b"0.0000"
_DEL: Final = 0x7F
_EXPONENT: Final = re.compile(rb"e-?\d+[],}]").search


def parse_line(line: bytes) -> list[Entry]:
    """Return what a line holds, in its order; nothing for an empty one.

    That is an event or a record of an event type, as a rule; several, where they stand one after
    the other; and `Rejected` for what is neither.

    Whatever stands before an event is a log's prefix and ignored, and what a collector of logs
    wraps around the line (Docker, Vector and others) is taken off. The name is `name`, else
    `event_type`; the time `time`, else `timestamp`; the data `data`, else `event`. All other
    fields that say something (not null, not empty text) move into the context, unless it has
    them. An event without an id gets one made of its time and its content: the same line always
    becomes the same event.
    """
    entries: list[Entry] = []
    others: list[Entry] = []
    try:
        for record in objects(line):
            if isinstance(record, RejectedLineError):
                entries.append(Rejected(str(record)))
            elif of_record := _entries(record, MAX_WRAPPERS):
                entries += of_record
            else:
                others.append(Rejected("neither name nor event_type is a text"))
    except RecursionError:
        entries.append(Rejected("nested too deeply"))
    # An object that is not an event is part of the prefix, if the line has an event besides.
    return entries or others[:1]


def is_surely_normal(line: bytes) -> bool:
    """Return whether the events of a line are in normal form, as far as a glance shows.

    What an escape may stand for is not (brackets, halves of characters), nor MongoDB's notation.
    """
    return (
        len(line) <= MAX_SURE
        and (_BACKSLASH not in line or b"\\u" not in line)
        and _DOLLAR not in line
        and line.count(b"{") + line.count(b"[") <= MAX_BRACKETS
    )


def _entries(record: Record, wrappers: int) -> list[Entry]:
    """Return what an object holds; nothing where it is neither named nor a wrapper."""
    fields = record.get("event_type")
    if len(record) == 1 and isinstance(fields, dict):
        return [_event_type(fields)]
    name = _name_of(record)
    if not name or _CONTENT.isdisjoint(record):
        inner = [*_unwrapped(record, wrappers)]
        if inner or not name:
            return inner
    try:
        return [_event(record, name)]
    except RejectedLineError as error:
        return [Rejected(str(error))]


def _unwrapped(record: Record, wrappers: int) -> Iterator[Entry]:
    """Yield the events and records that a field of a wrapper holds."""
    if not wrappers:
        return
    for inner in chain.from_iterable(_records_in(record.get(key)) for key in _WRAPPED):
        for entry in _entries(inner, wrappers - 1):
            if not isinstance(entry, Rejected):
                yield entry


def _records_in(field: object) -> Iterator[Record]:
    """Yield the objects of a wrapper's field: itself, or those in its text."""
    if isinstance(field, dict):
        yield field
    elif isinstance(field, str) and "{" in field:
        for each in objects(field.encode(errors="surrogatepass")):
            if not isinstance(each, RejectedLineError):
                yield each


def _event_type(record: Record) -> EventType | Rejected:
    try:
        return EventType.from_dict(record)
    except ValueError as error:
        return Rejected(str(error))


def _name_of(record: Record) -> str | None:
    name = record.get("name") or record.get("event_type")
    if not name and "" in (record.get("name"), record.get("event_type")):
        return UNKNOWN
    return name if isinstance(name, str) else None


def _event(record: Record, name: str) -> Event:
    plain = record
    if "_id" in record or isinstance(record.get("timestamp"), dict):
        plain = _exported(record)
    name_key = "name" if plain.get("name") else "event_type"
    time_key = "time" if plain.get("time") else "timestamp"
    data_key = "data" if "data" in plain else "event"
    time = _time(plain.get(time_key))
    context = unpacked(plain.get("context") or {}) or {}
    if not isinstance(context, dict):
        raise RejectedLineError("context is not an object")
    own_id = plain.get("id")
    event_id = own_id if _is_id(own_id) else _content_id(time, record)
    event: Event = {
        "id": event_id,
        "name": name,
        "timestamp": time,
        "context": dict(context),
        "data": _data(plain.get(data_key)),
    }
    used = {name_key, time_key, data_key, "context", *(["id"] if event_id is own_id else ())}
    if plain.get("event_type") == name:
        used.add("event_type")
    _add_others(event, plain, used)
    return event


def _exported(record: Record) -> Record:
    """Return a document as mongoexport writes it as a plain record."""
    plain: Record = from_extended_json(record)
    if "id" not in plain and _is_id(plain.get("_id")):
        plain["id"] = plain.pop("_id")
    return plain


def _add_others(event: Event, plain: Record, used: Collection[str]) -> None:
    """Add the ids of types, and to the context all other fields that say something."""
    for key, value in plain.items():
        if key in used or value is None or value == "":
            continue
        if key in _TYPE_IDS and isinstance(value, str):
            event[key] = value  # type: ignore[literal-required]
        else:
            event["context"].setdefault(key, value)


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable()


def _time(value: object) -> datetime:
    if not value:
        raise RejectedLineError("neither time nor timestamp is there")
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(time, datetime):
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise RejectedLineError("its time is not RFC 3339")


def _data(value: object) -> dict[str, Any]:
    value = unpacked(value)
    if value is None or value == "":
        return {}
    return value if isinstance(value, dict) else {"value": value}


def _content_id(time: datetime, record: Record) -> str:
    """Return an id of UUIDv7's form: the time, then the SHA-256 of the record as canonical JSON."""
    digest = sha256(_canonical(record)).hexdigest()
    start = f"{max(0, (time - EPOCH) // _MILLISECOND):012x}"
    variant = f"{int(digest[4], 16) & 0x3 | 0x8:x}"
    return f"{start[:8]}-{start[8:]}-7{digest[1:4]}-{variant}{digest[5:8]}-{digest[8:20]}"


def _canonical(record: Record) -> bytes:
    """Return a record as `json.dumps` writes it with sorted keys, NaN as null; ids depend on it."""
    with suppress(UnicodeEncodeError):  # half a character, which only an escape can stand for
        text = _encode_sorted(record)
        if text.isascii() and not (_DEL in text or _SMALL in text or _EXPONENT(text)):
            return text
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
