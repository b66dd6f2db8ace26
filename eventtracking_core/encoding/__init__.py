"""The forms of an event: text (JSON), wire (MessagePack), normal (plain values) and copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventtracking_core.lazy import lazy

if TYPE_CHECKING:
    from eventtracking_core.encoding._batches import (
        NormalBatch,
        encode_each,
        encode_lines,
        unencodable,
    )
    from eventtracking_core.encoding._compiled import plain_size, plain_weight
    from eventtracking_core.encoding._copies import snapshot
    from eventtracking_core.encoding._json import decode_json, encode_json, write_json
    from eventtracking_core.encoding._msgpack import (
        decode_msgpack,
        encode_msgpack,
        normal_from_msgpack,
        wire_reader,
    )
    from eventtracking_core.encoding._normal import (
        id_text,
        keep,
        losses,
        normalize,
        normalize_event,
    )
    from eventtracking_core.encoding._plain import by_type, field_names, has_reader
    from eventtracking_core.encoding._rows import (
        Cells,
        Columns,
        Table,
        encode_row,
        encode_rows,
        encode_table,
    )

__all__ = [
    "Cells",
    "Columns",
    "NormalBatch",
    "Table",
    "by_type",
    "decode_json",
    "decode_msgpack",
    "encode_each",
    "encode_json",
    "encode_lines",
    "encode_msgpack",
    "encode_row",
    "encode_rows",
    "encode_table",
    "field_names",
    "has_reader",
    "id_text",
    "keep",
    "losses",
    "normal_from_msgpack",
    "normalize",
    "normalize_event",
    "plain_size",
    "plain_weight",
    "snapshot",
    "unencodable",
    "wire_reader",
    "write_json",
]

# msgspec is imported when something is first encoded: importing the package must stay free.
_HOME = {
    "Cells": "_rows",
    "Columns": "_rows",
    "NormalBatch": "_batches",
    "Table": "_rows",
    "by_type": "_plain",
    "decode_json": "_json",
    "decode_msgpack": "_msgpack",
    "encode_each": "_batches",
    "encode_json": "_json",
    "encode_lines": "_batches",
    "encode_msgpack": "_msgpack",
    "encode_row": "_rows",
    "encode_rows": "_rows",
    "encode_table": "_rows",
    "field_names": "_plain",
    "has_reader": "_plain",
    "id_text": "_normal",
    "keep": "_normal",
    "losses": "_normal",
    "normal_from_msgpack": "_msgpack",
    "normalize": "_normal",
    "normalize_event": "_normal",
    "plain_size": "_compiled",
    "plain_weight": "_compiled",
    "snapshot": "_copies",
    "unencodable": "_batches",
    "wire_reader": "_msgpack",
    "write_json": "_json",
}

__getattr__, __dir__ = lazy(__name__, _HOME)
