"""Events as messages: topic, key, headers and value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Final, Literal, NamedTuple

import msgspec

from eventtracking_core import Event, EventTrackingError
from eventtracking_core.encoding import (
    Columns,
    Lines,
    encode_msgpack,
    normalize,
    unencodable,
)
from eventtracking_core.lifecycle.interrupts import pass_on
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
    "Row",
    "is_topic",
]

Format = Literal["json", "msgpack", "cloudevents", "cloudevents_structured"]
Header = tuple[str, str | bytes | None]
Errors = dict[int, Exception]
"""Errors of events, by their indexes in a batch."""

MAX_TOPIC: Final = 249
"""Characters of a topic's name."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_TO_MILLISECOND: Final = len("2026-09-12T12:55:00.123")
_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_IN_COLUMNS: Final[Mapping[str, Callable[[Columns], object]]] = {
    "id": attrgetter("id"),
    "name": attrgetter("name"),
    "context.user_id": attrgetter("context.user_id"),
}
"""Fields for which no event has to be decoded."""

_DIRECTORIES: Final = frozenset({".", ".."})
"""Names that brokers take for no topic, since a topic is a directory to them."""

TOPIC_RULE: Final = (
    "topic must consist of letters, digits and ._- (249 at most) and fields of events, such as"
    " {name} or {context.org}"
)
_NO_TOPIC: Final = re.compile(r"[^a-zA-Z0-9._-]")


Message = tuple[int, str, str, bytes, bytes | None, list[Header], int]
"""The index and id of an event; its topic, value, key, headers and milliseconds since 1970."""


class Row(NamedTuple):
    """An event: its JSON, columns of it, and its index in a batch."""

    place: int
    text: bytes
    columns: Columns
    events: Sequence[Event]

    @property
    def event(self) -> Event:
        """The event itself, which may have to be decoded."""
        return self.events[self.place]


Encode = Callable[[Row, str], tuple[list[Header], bytes]]
"""Returns further headers and the value of an event, given a `source`."""


class Encoding(NamedTuple):
    """How events become values.

    Attributes:
        content_type: of the values.
        encode: makes the value, where it is not the event's JSON.
    """

    content_type: bytes
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
        self._fields = [_reader(field) for field in _FIELD.findall(topic)]
        self._form = _FIELD.sub("{}", topic)
        self._key = None if key is None else _reader(key)
        self._encode = encoding.encode
        self._is_plain = not self._fields and self._key is None and self._encode is None
        self._content_type: Header = ("content-type", encoding.content_type)
        self._source = source

    def of(
        self,
        lines: Lines[Columns],
        events: Sequence[Event],
        refused: Mapping[str, Exception],
        failures: Errors,
    ) -> Iterator[Message]:
        """Yield the messages of events.

        Args:
            lines: their JSON.
            events: the batch, whose events have all their parts; they are read for fields only.
            refused: errors of events that are not to be sent, by their names.
            failures: gets the errors of events that have no message, by their indexes.
        """
        content_type, is_plain = self._content_type, self._is_plain
        last, milliseconds = "", 0
        for index, text, columns in zip(*lines, strict=True):
            name, event_id = columns.name, columns.id
            if refused and name in refused:
                failures[index] = refused[name]
                continue
            headers: list[Header] = [("id", event_id), ("name", name), content_type]
            try:
                if columns.name_id is not None:
                    headers.append(("name_id", str(columns.name_id)))
                time = columns.timestamp[:_TO_MILLISECOND]
                if time != last:  # when there are many events, many have the same
                    last, milliseconds = time, _milliseconds(time)
                if is_plain:
                    topic, key, value = self._topic, None, text
                else:
                    row = Row(index, text, columns, events)
                    topic, key, value = self._parts(row, headers)
            except EventTrackingError as error:
                failures[index] = error
            except Exception as error:  # noqa: BLE001  the caller's own objects may raise anything
                pass_on(error)
                failures[index] = unencodable(error)
            else:
                yield index, event_id, topic, value, key, headers, milliseconds

    def _parts(self, row: Row, headers: list[Header]) -> tuple[str, bytes | None, bytes]:
        """Return topic, key and value of an event; `headers` gets those of the value."""
        value = row.text
        if self._encode is not None:
            further, value = self._encode(row, self._source)
            headers += further
        key = None if self._key is None else self._key(row)
        topic = self._topic_of(row) if self._fields else self._topic
        return topic, None if key is None else key.encode(), value

    def _topic_of(self, row: Row) -> str:
        values = [read(row) or "none" for read in self._fields]
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


def _reader(field: str) -> Callable[[Row], str | None]:
    """Return a function that returns the value of a field as text."""
    column = _IN_COLUMNS.get(field)
    if column is not None:
        return lambda row: _text(column(row.columns))
    read = field_reader(field)
    return lambda row: _text(read(row.event))


def _text(value: object) -> str | None:
    return value_text(value if type(value) is str else normalize(value))


def _milliseconds(timestamp: str) -> int:
    """Return the milliseconds since 1970, none before, of a time in UTC."""
    without_zone = timestamp.rstrip("Z").partition("+")[0]
    time = datetime.fromisoformat(without_zone).replace(tzinfo=UTC) - _EPOCH
    return max(0, time // _MILLISECOND)


class _Parts(msgspec.Struct):
    """What an event says, as its JSON has it."""

    context: msgspec.Raw
    data: msgspec.Raw


_parts: Final = msgspec.json.Decoder(_Parts).decode
_encode: Final = msgspec.json.encode


def _msgpack(row: Row, _: str) -> tuple[list[Header], bytes]:
    return [], encode_msgpack(row.event)


def _cloudevents(row: Row, source: str) -> tuple[list[Header], bytes]:
    """Return the binary mode of https://github.com/cloudevents/spec, kafka-protocol-binding."""
    attributes = _attributes(row.columns, source)
    return [(f"ce_{key}", value.encode()) for key, value in attributes.items()], _data(row.text)


def _structured(row: Row, source: str) -> tuple[list[Header], bytes]:
    whole = {
        **_attributes(row.columns, source),
        "datacontenttype": "application/json",
        "data": msgspec.Raw(_data(row.text)),
    }
    return [], _encode(whole)


FORMATS: Final[Mapping[str, Encoding]] = {
    "json": Encoding(b"application/json"),
    "msgpack": Encoding(b"application/msgpack", _msgpack),
    "cloudevents": Encoding(b"application/json", _cloudevents),
    "cloudevents_structured": Encoding(b"application/cloudevents+json; charset=UTF-8", _structured),
}


def _attributes(columns: Columns, source: str) -> dict[str, str]:
    return {
        "specversion": "1.0",
        "id": columns.id,
        "source": source,
        "type": columns.name,
        "time": columns.timestamp,
    }


def _data(text: bytes) -> bytes:
    return _encode(_parts(text))
