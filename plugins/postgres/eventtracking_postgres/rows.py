"""Events as rows in PostgreSQL's binary COPY format.

See https://www.postgresql.org/docs/current/sql-copy.html (Binary Format).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from struct import Struct
from typing import Final

from eventtracking_core.diagnostics import report
from eventtracking_core.encoding import Cells, Table

__all__ = ["COLUMNS", "LONGEST_USER", "STORED", "binary", "without_nul"]

COLUMNS: Final = "id, name, timestamp, user_id, name_id, context_type_id, event"

LONGEST_USER: Final = 500
"""Characters of `user_id` in its column: an entry of an index has 2,704 bytes at most."""

STORED: Final = COLUMNS.replace("user_id", f"left(user_id, {LONGEST_USER})")
"""The values of `COLUMNS`, where the server copies rows."""

PIECE: Final = 100
"""Rows that are sent at once."""

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
_END: Final = b"\xff\xff"
_NULL: Final = b"\xff\xff\xff\xff"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NUL: Final = b"\\u0000"
_BACKSLASH: Final = 0x5C
_ESCAPE: Final = re.compile(rb"\\(?:u0000|.)", re.DOTALL)

_length: Final = Struct("!i").pack
_id: Final = Struct("!hi").pack
_time: Final = Struct("!iq").pack
_jsonb: Final = Struct("!ib").pack


def without_nul(table: Table) -> Table:
    """Return a table with U+FFFD in place of each NUL, which PostgreSQL cannot store."""
    for index, text in enumerate(table.texts):
        if _BACKSLASH in text and _NUL in text:  # to look for one byte takes a tenth of the time
            _replace_nul(table, index)
    return table


def _replace_nul(table: Table, index: int) -> None:
    text = table.texts[index]
    stored = _ESCAPE.sub(lambda escape: b"\\ufffd" if escape[0] == _NUL else escape[0], text)
    if stored == text:  # `\\u0000`, which is a backslash and five characters
        return
    name = table.names[index]
    report(
        logging.WARNING,
        ("postgres", "NUL", name),
        "%s: PostgreSQL cannot store NUL characters; U+FFFD is stored in their place",
        name,
    )
    table.replace(index, stored)


def binary(table: Table) -> Iterator[bytes]:
    """Yield the data of one COPY in pieces: the server reads one while the next is made."""
    rows = map(_row, zip(*table, strict=True))
    yield _HEADER
    while piece := b"".join(chain.from_iterable(islice(rows, PIECE))):
        yield piece
    yield _END


def _row(cells: Cells) -> tuple[bytes, ...]:
    text, event_id, name, moment, user_id, name_id, context_type_id = cells
    id_bytes, name_bytes = event_id.encode(), name.encode()
    return (
        _id(7, len(id_bytes)),
        id_bytes,
        _length(len(name_bytes)),
        name_bytes,
        _time(8, (moment - _EPOCH) // _MICROSECOND),
        _NULL if user_id is None else _text(user_id),
        _NULL if name_id is None else _text(name_id),
        _NULL if context_type_id is None else _text(context_type_id),
        _jsonb(len(text) + 1, 1),
        text,
    )


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _length(len(encoded)) + encoded
