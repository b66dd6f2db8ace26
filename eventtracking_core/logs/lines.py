"""One line of a log as an event: our own, a plain one, or an edX tracking line."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final, TypeGuard
from urllib.parse import parse_qsl

from eventtracking_core.errors import EventTrackingError
from eventtracking_core.events import Event
from eventtracking_core.registry import EventType

__all__ = ["RejectedLineError", "parse_line", "parse_record"]

Record = dict[str, Any]

MAX_ID: Final = 255
_QUERY: Final = re.compile(r"[^\s=&]+=[^\s=&]*(?:&[^\s=&]+=[^\s=&]*)*")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TYPE_IDS: Final = ("name_id", "context_type_id")
_RECORD: Final = b'{"event_type":'


class RejectedLineError(EventTrackingError):
    """A line is no event; the message says why, without what the line says."""


def parse_line(line: bytes) -> Event | None:
    """Return the event of a line, None for an empty one.

    Whatever stands before the first `{` is a log's prefix and ignored. The name is `name`, else
    `event_type`; the time `time`, else `timestamp`; the data `data`, else `event`. All other
    fields that say something (not null, not empty text) move into the context, unless it has
    them. An event without an id gets one made of its time and its content: the same line always
    becomes the same event.

    Raises:
        RejectedLineError: the line is no event.
    """
    try:
        text = line.decode().strip("\ufeff \t\r\n")
    except UnicodeDecodeError as error:
        raise RejectedLineError(f"not UTF-8 text (byte {error.start + 1})") from error
    if not text:
        return None
    try:
        return _event(_record(text))
    except RecursionError as error:
        raise RejectedLineError("nested too deeply") from error


def parse_record(line: bytes) -> EventType | None:
    """Return the record of an event type that a line holds, None where it is no such line.

    A log that documents itself has them, each before the first event that refers to it.

    Raises:
        RejectedLineError: it is such a line, and its record is malformed.
    """
    start = line.find(_RECORD)
    if start < 0:
        return None
    try:
        held = json.loads(line[start:])
    except (ValueError, RecursionError):
        return None
    record = held["event_type"]
    if len(held) != 1 or not isinstance(record, dict):
        return None
    try:
        return EventType.from_dict(record)
    except ValueError as error:
        raise RejectedLineError(str(error)) from error


def _record(text: str) -> Record:
    start = text.find("{")
    if start < 0:
        raise RejectedLineError("not JSON: there is no object in the line")
    try:
        record: Record = json.loads(text[start:])
    except json.JSONDecodeError as error:
        where = f"{error.msg.removesuffix(' at')} at column {start + error.pos + 1}"
        raise RejectedLineError(f"not JSON: {where}") from error
    except ValueError as error:
        raise RejectedLineError("a number has too many digits") from error
    return record


def _event(record: Record) -> Event:
    name_key = "name" if record.get("name") else "event_type"
    time_key = "time" if record.get("time") else "timestamp"
    data_key = "data" if "data" in record else "event"
    name = record.get(name_key)
    if not isinstance(name, str) or not name:
        raise RejectedLineError("neither name nor event_type is a text")
    time = _time(record.get(time_key))
    context = record.get("context") or {}
    if not isinstance(context, dict):
        raise RejectedLineError("context is not an object")
    given = record.get("id")
    event_id = given if _is_id(given) else _content_id(time, record)
    event: Event = {
        "id": event_id,
        "name": name,
        "timestamp": time,
        "context": dict(context),
        "data": _data(record.get(data_key)),
    }
    used = {name_key, time_key, data_key, "context", *(["id"] if event_id is given else ())}
    if record.get("event_type") == name:
        used.add("event_type")
    for key, value in record.items():
        if key in used or value is None or value == "":
            continue
        if key in _TYPE_IDS and isinstance(value, str):
            event[key] = value  # type: ignore[literal-required]
        else:
            event["context"].setdefault(key, value)
    return event


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable()


def _time(value: object) -> datetime:
    if not value:
        raise RejectedLineError("neither time nor timestamp is there")
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise RejectedLineError("its time is not RFC 3339")


def _data(value: object) -> Record:
    if isinstance(value, str):
        value = _unpacked(value.strip())
    if value is None or value == "":
        return {}
    return value if isinstance(value, dict) else {"value": value}


def _unpacked(text: str) -> object:
    """Return what a text holds: an object or a list as JSON, a form's fields, or itself."""
    if text.startswith(("{", "[")):
        try:
            return json.loads(text)
        except ValueError:
            return text
    if not _QUERY.fullmatch(text):
        return text
    fields: dict[str, list[str]] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        fields.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in fields.items()}


def _content_id(time: datetime, record: Record) -> str:
    """Return an id of UUIDv7's form: the time, then the SHA-256 of the record as canonical JSON."""
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"))
    digest = int.from_bytes(sha256(canonical.encode()).digest()[:10])
    milliseconds = max(0, (time - _EPOCH) // timedelta(milliseconds=1))
    bits = milliseconds << 80 | digest
    bits = bits & ~(0xF << 76) | 0x7 << 76  # the version
    bits = bits & ~(0x3 << 62) | 0x2 << 62  # the variant
    digits = f"{bits:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
