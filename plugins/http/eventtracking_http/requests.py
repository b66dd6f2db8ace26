"""Bodies and headers of requests, made from events."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from eventtracking_core import Event, RejectedError
from eventtracking_core.encoding import (
    JsonBatch,
    NormalBatch,
    decode_json,
    encode_each,
    encode_json,
    encode_lines,
)
from eventtracking_core.http.exchange import split
from eventtracking_http.options import Options
from eventtracking_http.signature import Signer
from eventtracking_http.template import compile_template

__all__ = ["Requests"]

Texts = Mapping[int, bytes] | list[bytes]
"""Events as they stand in a body, by their index in the batch.

A list has the whole batch, which goes into one request.
"""

_EVENTS: Final = "{events}"
_SEPARATORS: Final = {"array": b",", "ndjson": b"\n", "single": b""}
_GZIP_LEVEL: Final = 1
"""A quarter of the time of level 9, for a quarter more bytes of events."""


class Requests:
    """Makes requests of one backend.

    Args:
        options: the options.
        secret: signs each request; see `Signer`.
        compresses: whether bodies are compressed.
    """

    def __init__(self, options: Options, *, secret: str | None, compresses: bool) -> None:
        self._options = options
        self._compresses = compresses
        self._signer = Signer(secret) if secret else None
        self._event = None if options.event is None else compile_template(options.event)
        self._action = None if options.action is None else compile_template(options.action)
        self._separator = _SEPARATORS[options.format]
        self._head, self._tail = _around(options.envelope, options.format)
        self._room = options.max_bytes - len(self._head) - len(self._tail)
        self._limit = min(options.max_event_bytes, self._room)
        self._headers = compile_template(options.headers) if options.format == "single" else None

    @property
    def takes_json(self) -> bool:
        """Whether a body has the JSON of events as it is."""
        return self._event is None and self._action is None

    def encode_each(self, events: Sequence[Event]) -> tuple[Texts, dict[int, Exception]]:
        """Return events as they stand in a body, and what has no such form; both by index."""
        if self.takes_json:
            if type(events) is JsonBatch and self._fits(events.texts):
                return events.texts, {}
            texts, failures = encode_lines(events)
        else:
            is_normal = type(events) is NormalBatch
            texts, failures = encode_each(events, partial(self._filled_text, is_normal=is_normal))
        for index in [index for index, text in texts.items() if len(text) >= self._limit]:
            del texts[index]
            failures[index] = RejectedError("the event is larger than the endpoint allows")
        return texts, failures

    def parts(self, texts: Texts) -> Iterable[list[int]]:
        """Return the indexes of encoded events that go into one request each."""
        if isinstance(texts, list):
            return [list(range(len(texts)))]
        return split(texts, size=self._room, count=self._options.max_events)

    def _fits(self, texts: list[bytes]) -> bool:
        """Return whether events can go into one request, each small enough."""
        return (
            0 < len(texts) <= self._options.max_events
            and sum(map(len, texts)) + len(texts) <= self._room
            and (self._limit == self._room or max(map(len, texts)) < self._limit)
        )

    def request(
        self, events: Sequence[Event], part: list[int], texts: Texts
    ) -> tuple[bytes, Mapping[str, str]]:
        """Return the body and the headers of a request.

        Args:
            events: a batch.
            part: the indexes of the events that the request is for.
            texts: what `encode_each` returned.
        """
        if isinstance(texts, list) and len(part) == len(texts):
            lines = texts.copy()
        else:
            lines = [texts[index] for index in part]
        lines[0] = self._head + lines[0]
        lines[-1] += self._tail
        body = self._separator.join(lines)
        headers = dict(
            self._options.headers if self._headers is None else self._filled(events[part[0]])
        )
        if self._signer is not None:
            headers |= self._signer.headers(_ids(events, part), body)
        if self._compresses:
            body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return body, headers

    def _filled(self, event: Event) -> Mapping[str, str]:
        headers = self._headers(_plain(event)) if self._headers else {}
        return {name: _header_text(value) for name, value in headers.items()}

    def _filled_text(self, event: Event, *, is_normal: bool) -> bytes:
        plain = event if is_normal else _plain(event)
        text = encode_json(event) if self._event is None else _json(self._event(plain))
        if self._action is not None:
            text = _json(self._action(plain)) + b"\n" + text
        return text


def _ids(events: Sequence[Event], part: list[int]) -> list[str]:
    if type(events) is JsonBatch:
        return [events.heads[index].id for index in part]
    return [events[index]["id"] for index in part]


def _plain(event: Event) -> Event:
    """Return an event with values that JSON has, whatever it held."""
    return decode_json(encode_json(event))


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


def _header_text(value: object) -> str:
    text = value if isinstance(value, str) else _json(value).decode()
    return "".join(
        character for character in text if character.isprintable() and character.isascii()
    )


def _around(envelope: Any, form: str) -> tuple[bytes, bytes]:
    """Return what stands before and after the events of a body.

    Raises:
        ValueError: an envelope has no place for the events, or several.
    """
    if form == "ndjson":
        return b"", b"\n"
    if form == "single":
        return b"", b""
    if envelope is None:
        return b"[", b"]"
    head, *tails = _json(envelope).split(_json(_EVENTS))
    if len(tails) != 1:
        raise ValueError("envelope must have one value {events}")
    return head + b"[", b"]" + tails[0]
