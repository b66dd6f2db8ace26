"""Encode an event as the JSON message of a Segment call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from segment.analytics.consumer import MAX_MSG_SIZE  # type: ignore[import-untyped]

from eventtracking_core import Event, RejectedError
from eventtracking_core.encoding import JsonBatch, encode_lines, id_text, normalize, unencodable
from eventtracking_core.errors import require_lists
from eventtracking_core.logs.written import decoder

__all__ = ["Messages"]

_encode: Final = msgspec.json.Encoder().encode

_NAMES: Final = ("agent", "client_id", "host", "ip", "page", "path", "referer", "referrer")
_NO_USER: Final = (
    "the event has no user: Segment requires a userId or an anonymousId, and the fields configured"
    " for them (user_id_field, anonymous_id_field) are empty"
)


class Messages:
    """Encodes each event as a `track` call, or as the call that is configured for its name.

    Args:
        user_id_field: the dotted event field with the message's `userId`.
        anonymous_id_field: the dotted event field with its `anonymousId`.
        identify_events: names of the events to send as `identify` calls.
        page_events: names of the events to send as `page` calls.

    Raises:
        ValueError: a field is malformed, or a name is in both lists.
    """

    def __init__(
        self,
        *,
        user_id_field: str,
        anonymous_id_field: str,
        identify_events: Sequence[str],
        page_events: Sequence[str],
    ) -> None:
        self._user_id = _field("user_id_field", user_id_field)
        self._anonymous_id = _field("anonymous_id_field", anonymous_id_field)
        require_lists(identify_events=identify_events, page_events=page_events)
        self._types = dict.fromkeys(identify_events, "identify")
        if not self._types.keys().isdisjoint(page_events):
            raise ValueError("identify_events and page_events must have no name in common")
        self._types |= dict.fromkeys(page_events, "page")
        needed = [*(f"context.{name}" for name in _NAMES), user_id_field, anonymous_id_field]
        self._decode = decoder(None if identify_events else needed)

    def encode_all(self, events: Sequence[Event]) -> tuple[dict[int, bytes], dict[int, Exception]]:
        """Return the message of each event, or why there is none, by index.

        An event is rejected that has no user, is malformed, or exceeds Segment's limit.
        """
        texts, failures = encode_lines(events)
        messages = {}
        for index, text in texts.items():
            event = self._decode(text) if isinstance(events, JsonBatch) else None
            try:
                messages[index] = self._encode(events[index] if event is None else event, text)
            except RejectedError as error:
                failures[index] = error
        return messages, failures

    def _encode(self, event: Event, text: bytes) -> bytes:
        """Return an event's message, given its JSON too."""
        try:
            message = self._message(event, text)
        except RejectedError:
            raise
        except Exception as error:
            raise unencodable(error) from error
        if len(message) > MAX_MSG_SIZE:
            raise RejectedError(
                f"the event is too large: its message has {len(message)} bytes,"
                f" and Segment's limit is {MAX_MSG_SIZE}"
            )
        return message

    def _message(self, event: Event, text: bytes) -> bytes:
        kind = self._types.get(event["name"], "track")
        texts = _texts(event["context"])
        page = _page(texts)
        fields = {
            "type": kind,
            "messageId": event["id"],
            "timestamp": _utc(event["timestamp"]),
            **self._user(event),
            "context": _context(texts, page),
        }
        if kind == "identify":
            return _joined(_object(fields), b',"traits":', _encode(normalize(event["data"])))
        fields["event" if kind == "track" else "name"] = event["name"]
        if kind == "page" and page:
            text = _joined(_object(page), b",", text[1:-1])
        return _joined(_object(fields), b',"properties":', text)

    def _user(self, event: Event) -> dict[str, str]:
        fields = {"userId": self._user_id, "anonymousId": self._anonymous_id}
        ids = {key: text for key, field in fields.items() if (text := _text(_value(event, field)))}
        if not ids:
            raise RejectedError(_NO_USER)
        return ids


def _texts(context: dict[str, Any]) -> dict[str, str]:
    """Return the non-empty fields of an event's context that Segment's context has."""
    return {
        name: text for name in _NAMES if (value := context.get(name)) and (text := _text(value))
    }


def _page(texts: dict[str, str]) -> dict[str, str]:
    """Return the page's fields; its address is built from host and path if there is none."""
    page = {}
    path = texts.get("path")
    if path:
        page["path"] = path
    if referrer := texts.get("referer") or texts.get("referrer"):
        page["referrer"] = referrer
    if url := texts.get("page"):
        page["url"] = url
    elif path and (host := texts.get("host")):
        page["url"] = f"https://{host}{path}" if path[0] == "/" else f"https://{host}/{path}"
    return page


def _context(texts: dict[str, str], page: dict[str, str]) -> dict[str, Any]:
    """Return Segment's context."""
    context: dict[str, Any] = {}
    if page:
        context["page"] = page
    if agent := texts.get("agent"):
        context["userAgent"] = agent
    if ip := texts.get("ip"):
        context["ip"] = ip
    if client_id := texts.get("client_id"):
        context["Google Analytics"] = {"clientId": client_id}
    return context


def _object(fields: dict[str, Any]) -> bytes:
    try:
        return _encode(fields)
    except UnicodeEncodeError:  # half a surrogate pair
        return _encode(normalize(fields))


def _joined(start: bytes, key: bytes, rest: bytes) -> bytes:
    """Return a JSON object with another member appended: `key` and `rest`, already encoded."""
    return b"".join((start[:-1], key, rest, b"}"))


def _field(option: str, text: str) -> tuple[str, ...]:
    parts = tuple(text.split("."))
    if parts[0] not in {"context", "data"} or len(parts) == 1 or "" in parts:
        raise ValueError(f"{option} must be a dotted field: context.name or data.name")
    return parts


def _value(event: Event, field: tuple[str, ...]) -> object:
    value: object = event
    for key in field:
        if type(value) is not dict:
            value = normalize(value)
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _text(value: object) -> str | None:
    """Return text, or a number as text; None for anything else."""
    return value if type(value) is str else id_text(value)


def _utc(timestamp: object) -> object:
    if type(timestamp) is datetime and timestamp.tzinfo is UTC:
        return timestamp
    return normalize(timestamp)
