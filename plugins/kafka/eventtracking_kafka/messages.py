"""Events as messages: topic, key, headers and value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, Literal, NamedTuple

import msgspec

from eventtracking_core import Event, EventTrackingError
from eventtracking_core.encoding import (
    encode_each,
    encode_lines,
    encode_msgpack,
    normalize,
    unencodable,
)
from eventtracking_core.interrupts import pass_on
from eventtracking_core.reading import field_reader, is_field, value_text

__all__ = [
    "FORMATS",
    "TOPIC_RULE",
    "Encode",
    "Encoding",
    "Format",
    "Header",
    "Message",
    "Messages",
    "is_topic",
]

Format = Literal["json", "msgpack", "cloudevents", "cloudevents_structured"]
Header = tuple[str, str | bytes | None]
Encode = Callable[[Event, bytes, str], tuple[list[Header], bytes]]
"""Returns further headers and the value of an event, given its text and a `source`."""

Errors = dict[int, Exception]
"""Errors of events, by their indexes in a batch."""

Texts = tuple[dict[int, bytes], Errors]
"""What was encoded of a batch, and what was not; both by index."""

MAX_TOPIC: Final = 249
"""Characters of a topic's name."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_DIRECTORIES: Final = frozenset({".", ".."})
"""Names that brokers take for no topic, since a topic is a directory to them."""

TOPIC_RULE: Final = (
    "topic must have letters, digits and ._- only, 249 of them at most, and fields of events as"
    " {name} or {context.org}"
)
_NO_TOPIC: Final = re.compile(r"[^a-zA-Z0-9._-]")


Message = tuple[int, str, str, bytes, bytes | None, list[Header], int]
"""The index and id of an event; its topic, value, key, headers and milliseconds since 1970."""


class Encoding(NamedTuple):
    """How events become values.

    Attributes:
        content_type: of the values.
        texts: encodes a batch; of most formats, a text is the value.
        encode: makes the value of a text, where it is another one.
    """

    content_type: bytes
    texts: Callable[[Sequence[Event]], Texts] = encode_lines
    encode: Encode | None = None


class Messages:
    """Makes the messages of events.

    Args:
        topic: a name; fields such as `{name}` are replaced by their values.
        key: the field whose value is the key, such as `context.user_id`.
        encoding: makes the values.
        source: the attribute `source` of CloudEvents.
    """

    def __init__(self, topic: str, key: str | None, encoding: Encoding, source: str) -> None:
        self._topic = topic
        self._fields = [field_reader(field) for field in _FIELD.findall(topic)]
        self._form = _FIELD.sub("{}", topic)
        self._key = None if key is None else field_reader(key)
        self._texts = encoding.texts
        self._encode = encoding.encode
        self._content_type: Header = ("content-type", encoding.content_type)
        self._source = source

    def of(
        self, events: Sequence[Event], refused: Mapping[str, Exception], failures: Errors
    ) -> Iterator[Message]:
        """Yield the messages of events that have all their parts.

        Args:
            events: a batch.
            refused: errors of events that are not to be sent, by their names.
            failures: gets the errors of events that have no message, by their indexes.
        """
        texts, failed = self._texts(events)
        failures |= failed
        for index, text in texts.items():
            event = events[index]
            if refused and event["name"] in refused:
                failures[index] = refused[event["name"]]
                continue
            try:
                message = self._message(index, event, text)
            except EventTrackingError as error:
                failures[index] = error
            except Exception as error:  # noqa: BLE001  the caller's own objects may raise anything
                pass_on(error)
                failures[index] = unencodable(error)
            else:
                yield message

    def _message(self, index: int, event: Event, value: bytes) -> Message:
        event_id = event["id"]
        headers: list[Header] = [("id", event_id), ("name", event["name"]), self._content_type]
        if "name_id" in event:
            headers.append(("name_id", str(event["name_id"])))
        if self._encode is not None:
            further, value = self._encode(event, value, self._source)
            headers += further
        topic = self._topic_of(event) if self._fields else self._topic
        key = None if self._key is None else _text(self._key(event))
        time = event["timestamp"] - _EPOCH
        # A division of intervals takes twice as long.
        milliseconds = time.days * 86_400_000 + time.seconds * 1000 + time.microseconds // 1000
        return (
            index,
            event_id,
            topic,
            value,
            None if key is None else key.encode(),
            headers,
            max(0, milliseconds),
        )

    def _topic_of(self, event: Event) -> str:
        values = [_text(read(event)) or "none" for read in self._fields]
        topic = _NO_TOPIC.sub("_", self._form.format(*values))[:MAX_TOPIC]
        return topic if topic not in _DIRECTORIES else "_"


def is_topic(topic: str) -> bool:
    """Return whether a topic can be used, whose fields are those of events."""
    rest = _FIELD.sub("", topic)
    return (
        len(topic) > 0
        and len(rest) <= MAX_TOPIC
        and topic not in _DIRECTORIES
        and not _NO_TOPIC.search(rest)
        and all(map(is_field, _FIELD.findall(topic)))
    )


def _text(value: object) -> str | None:
    return value_text(value if type(value) is str else normalize(value))


class _Parts(msgspec.Struct):
    """What an event says, as its JSON has it."""

    context: msgspec.Raw
    data: msgspec.Raw


_parts: Final = msgspec.json.Decoder(_Parts).decode
_encode: Final = msgspec.json.encode


def _cloudevents(event: Event, text: bytes, source: str) -> tuple[list[Header], bytes]:
    """Return the binary mode of https://github.com/cloudevents/spec, kafka-protocol-binding."""
    attributes = _attributes(event, source)
    return [(f"ce_{key}", value.encode()) for key, value in attributes.items()], _data(text)


def _structured(event: Event, text: bytes, source: str) -> tuple[list[Header], bytes]:
    whole = {
        **_attributes(event, source),
        "datacontenttype": "application/json",
        "data": msgspec.Raw(_data(text)),
    }
    return [], _encode(whole)


FORMATS: Final[Mapping[str, Encoding]] = {
    "json": Encoding(b"application/json"),
    "msgpack": Encoding(b"application/msgpack", partial(encode_each, encode=encode_msgpack)),
    "cloudevents": Encoding(b"application/json", encode=_cloudevents),
    "cloudevents_structured": Encoding(
        b"application/cloudevents+json; charset=UTF-8", encode=_structured
    ),
}


def _attributes(event: Event, source: str) -> dict[str, str]:
    return {
        "specversion": "1.0",
        "id": event["id"],
        "source": source,
        "type": event["name"],
        "time": event["timestamp"].isoformat().replace("+00:00", "Z"),
    }


def _data(text: bytes) -> bytes:
    return _encode(_parts(text))
