"""Find the JSON objects in a line that holds other text too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Final

import msgspec

from eventtracking_core.errors import EventTrackingError

__all__ = ["Record", "RejectedLineError", "objects"]

Record = dict[str, Any]

MAX_STARTS: Final = 64
"""Places of a line at which an object is looked for in vain."""

_HEAD: Final = re.compile(rb'\{"id":"[^"\\]{1,255}","name":')
_FIELDS: Final = {"id", "name", "timestamp", "context", "data"}
"""How an event begins as we write it, and what it has."""

_START: Final = re.compile(r'\{\s*["}]')
_decode_fast: Final = msgspec.json.Decoder().decode
_decode: Final = json.JSONDecoder(strict=False).raw_decode


class RejectedLineError(EventTrackingError):
    """A line is no event; the message says why, without what the line says."""


def objects(line: bytes) -> Iterator[Record | RejectedLineError]:
    """Yield the objects of a line from left to right, and why a part of it is none.

    What stands before, between and after them is passed over: the prefix of a log, a separator.
    An object that is cut off or malformed is an error, and what follows it is searched.
    """
    start = line.find(b"{")
    if start >= 0:
        try:
            yield _decode_fast(line[start:])
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        else:
            return
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        yield RejectedLineError(f"not UTF-8 text (byte {error.start + 1})")
        yield from _appended(line)
        return
    if text.strip("\ufeff \t\r\n"):
        yield from _search(text)


def _search(text: str) -> Iterator[Record | RejectedLineError]:
    end = len(text.rstrip())
    position = failures = object_count = 0
    while (start := _START.search(text, position)) and failures < MAX_STARTS:
        try:
            value, position = _decode(text, start.start())
        except json.JSONDecodeError as error:
            if not failures:
                yield _malformed(error)
            if error.pos >= end or error.msg.startswith("Unterminated string"):
                # Cut off: what lies within it is a part of it, or was appended by another process.
                yield from _appended(text[start.end() :].encode())
                return
            failures += 1  # the first one explains the others
            position = start.start() + 1
        except ValueError:
            yield RejectedLineError("a number has too many digits")
            return
        else:
            object_count += 1
            yield value
    if not object_count and not failures:
        yield RejectedLineError("not JSON: there is no object in the line")


def _appended(line: bytes) -> Iterator[Record]:
    """Yield the event that a process appended to the line of another, which was killed."""
    for head in islice(_HEAD.finditer(line), MAX_STARTS):
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            value = _decode_fast(line[head.start() :])
            if value.keys() >= _FIELDS:
                yield value
                return


def _malformed(error: json.JSONDecodeError) -> RejectedLineError:
    where = f"{error.msg.removesuffix(' at')} at column {error.pos + 1}"
    return RejectedLineError(f"not JSON: {where}")
