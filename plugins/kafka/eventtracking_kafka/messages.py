"""Events as messages: topic, key, headers and value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Literal, NamedTuple

import msgspec

from eventtracking_core import Event
from eventtracking_core.encoding import decode_json, encode_json, encode_msgpack, normalize_event
from eventtracking_core.reading import checked, field_text

__all__ = ["FORMATS", "Encode", "Format", "Headers", "Message", "Messages"]

Format = Literal["json", "msgpack", "cloudevents", "cloudevents_structured"]
Headers = list[tuple[str, str | bytes | None]]
Encode = Callable[[Event, str], tuple[bytes, Headers, bytes]]
"""Returns the content type, further headers and the value of an event, given a `source`."""

MAX_TOPIC: Final = 249
"""Characters of a topic's name."""

_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_NO_TOPIC: Final = re.compile(r"[^a-zA-Z0-9._-]")
_TEXT: Final = re.compile(r"[^{}]+")

_encode: Final = msgspec.json.encode


class Message(NamedTuple):
    """A message, as a producer takes it, and the id of its event."""

    event_id: str
    topic: str
    key: bytes | None
    headers: Headers
    value: bytes
    timestamp: int
    """Milliseconds since 1970."""


class Messages:
    """Makes the messages of events.

    Args:
        topic: a name; fields such as `{name}` are replaced by their values.
        key: the field whose value is the key, such as `context.user_id`.
        encode: returns the value of an event.
        source: the attribute `source` of CloudEvents.

    Raises:
        ValueError: topic or key cannot be used.
    """

    def __init__(self, topic: str, key: str | None, encode: Encode, source: str) -> None:
        rest = _FIELD.sub("", topic)
        if not topic or _NO_TOPIC.search(rest):
            raise ValueError("topic must have letters, digits and ._- only, and fields as {name}")
        self._fields = [checked(field) for field in _FIELD.findall(topic)]
        self._topic = topic
        self._key = None if key is None else checked(key)
        self._encode = encode
        self._source = source

    def of(self, event: Event) -> Message:
        """Return the message of an event."""
        if not _is_plain(event):
            event = decode_json(encode_json(normalize_event(event)))
        content, headers, value = self._encode(event, self._source)
        key = None if self._key is None else field_text(event, self._key)
        own: Headers = [("id", event["id"]), ("name", event["name"])]
        if "name_id" in event:
            own.append(("name_id", str(event["name_id"])))
        return Message(
            event["id"],
            self._topic_of(event) if self._fields else self._topic,
            None if key is None else key.encode(),
            [*own, ("content-type", content), *headers],
            value,
            max(int(event["timestamp"].timestamp() * 1000), 0),
        )

    def _topic_of(self, event: Event) -> str:
        named = _FIELD.sub(lambda found: field_text(event, found[1]) or "none", self._topic)
        return _NO_TOPIC.sub("_", named)[:MAX_TOPIC]


def _json(event: Event, _: str) -> tuple[bytes, Headers, bytes]:
    return b"application/json", [], encode_json(event)


def _msgpack(event: Event, _: str) -> tuple[bytes, Headers, bytes]:
    return b"application/msgpack", [], encode_msgpack(event)


def _cloudevents(event: Event, source: str) -> tuple[bytes, Headers, bytes]:
    """Return the binary mode of https://github.com/cloudevents/spec, kafka-protocol-binding."""
    attributes = _attributes(event, source)
    headers: Headers = [(f"ce_{key}", value.encode()) for key, value in attributes.items()]
    return b"application/json", headers, _encode(_data(event))


def _structured(event: Event, source: str) -> tuple[bytes, Headers, bytes]:
    whole = {
        **_attributes(event, source),
        "datacontenttype": "application/json",
        "data": _data(event),
    }
    return b"application/cloudevents+json; charset=UTF-8", [], _encode(whole)


FORMATS: Final[Mapping[str, Encode]] = {
    "json": _json,
    "msgpack": _msgpack,
    "cloudevents": _cloudevents,
    "cloudevents_structured": _structured,
}


def _attributes(event: Event, source: str) -> dict[str, str]:
    return {
        "specversion": "1.0",
        "id": event["id"],
        "source": source,
        "type": event["name"],
        "time": event["timestamp"].isoformat().replace("+00:00", "Z"),
    }


def _data(event: Event) -> dict[str, object]:
    plain = decode_json(encode_json(event))
    return {"context": plain["context"], "data": plain["data"]}


def _is_plain(event: Event) -> bool:
    return (
        type(event["id"]) is str
        and event["id"].isprintable()
        and type(event["name"]) is str
        and event["name"].isprintable()  # and so without lone surrogates
        and type(event["timestamp"]) is datetime
        and type(event["context"]) is dict
        and type(event["data"]) is dict
    )
