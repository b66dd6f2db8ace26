"""Events as JSON texts: the batches of backends that take them, and the bytes that wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING, Final, overload

from eventtracking_core.encoding._columns import Columns, Head, read_columns, read_heads
from eventtracking_core.encoding._json import decode_fields, decode_json, encode_json
from eventtracking_core.encoding._msgpack import decode_msgpack
from eventtracking_core.encoding._normal import normalize_event

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["JSON", "JsonBatch", "decode_wire", "json_text", "normal_from_json"]

JSON: Final = ord("{")
"""The first byte of an event in JSON; MessagePack has none such."""


class JsonBatch(Sequence["Event"]):
    """Events as a worker hands them to a backend that `takes_json`: an event is decoded if read.

    Each has all its parts, in normal form.

    Args:
        texts: what `encode_json` returns of each.
    """

    def __init__(self, texts: list[bytes]) -> None:
        self.texts: Final = texts
        """The JSON of each event, in its order."""

        self._events: dict[int, Event] = {}

    @cached_property
    def columns(self) -> list[Columns]:
        """What tables find events by, decoded without the rest."""
        return list(map(read_columns, self.texts))

    @cached_property
    def heads(self) -> Sequence[Head]:
        """The ids, names and times of the events, in half the time of `columns`."""
        try:
            return read_heads(self.texts)
        except ValueError:  # such as that of a name with "{", or of fields in another order
            return self.columns

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> JsonBatch: ...
    def __getitem__(self, index: int | slice) -> Event | JsonBatch:
        if isinstance(index, slice):
            return JsonBatch(self.texts[index])
        index = range(len(self.texts))[index]
        event = self._events.get(index)
        if event is None:
            event = self._events[index] = decode_json(self.texts[index])
        return event

    def __iter__(self) -> Iterator[Event]:
        return map(self.__getitem__, range(len(self.texts)))


def decode_wire(wire: bytes) -> Event:
    """Return the event that `encode_json` or `encode_msgpack` was given, in plain values.

    Raises:
        ValueError: the bytes are not an event.
    """
    return normal_from_json(wire) if wire[:1] == b"{" else decode_msgpack(wire)


def normal_from_json(text: bytes) -> Event:
    """Return the event of a line of JSON, in normal form, whatever is missing.

    Raises:
        ValueError: the line is no JSON object.
    """
    try:
        return decode_json(text)
    except ValueError:
        return normalize_event(decode_fields(text))


def json_text(text: bytes) -> tuple[bytes, str]:
    """Return a line of JSON from a file, as `encode_json` writes it, and the event's id.

    Raises:
        ValueError: the line is no JSON object.
    """
    with suppress(ValueError):
        columns = read_columns(text)
        if columns.moment.tzinfo is UTC and b"\n" not in text:
            return text, columns.id
    event = normal_from_json(text)
    return encode_json(event), event["id"]
